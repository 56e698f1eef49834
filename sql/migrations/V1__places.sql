-- Places, their records, their history, the feed of changes and the ledger of loads.
-- The columns of place and place_source follow the tables of a snapshot; their comments are written from there.

create table poimill.place (
    pipeline text not null,
    id uuid not null,
    geometry geometry (point, 4326) not null,
    footprint geometry (geometry, 4326),
    category text not null,
    alternate_categories text [] not null,
    name text,
    names jsonb not null,
    operator text,
    operator_wikidata text,
    network text,
    brand text,
    address jsonb not null,
    phone text,
    website text,
    email text,
    opening_hours text,
    access text,
    fee boolean,
    status text,
    capacity integer,
    connectors jsonb not null,
    max_power_kw double precision,
    tags jsonb not null,
    datasets text [] not null,
    confidence double precision not null,
    sources jsonb not null,
    content_hash bytea not null,
    row_hash bytea not null,
    constraint place_footprint_is_an_area check (geometrytype(footprint) in ('POLYGON', 'MULTIPOLYGON')),
    primary key (pipeline, id)
) partition by list (pipeline);

create index place_geometry on poimill.place using gist (geometry);

create table poimill.place_source (
    pipeline text not null,
    place_id uuid not null,
    dataset text not null,
    record_id text not null,
    part_of text,
    geometry geometry (point, 4326) not null,
    category text not null,
    name text,
    update_time timestamptz,
    license text,
    repairs text [] not null,
    content_hash bytea not null,
    evidence jsonb not null,
    raw jsonb not null,
    primary key (pipeline, dataset, record_id)
) partition by list (pipeline);

create index place_source_place on poimill.place_source (pipeline, place_id);
create index place_source_geometry on poimill.place_source using gist (geometry);

create table poimill.place_history (
    like poimill.place,
    valid_from timestamptz,
    valid_to timestamptz,
    snapshot text not null,
    recorded_at timestamptz not null default now()
);

create index place_history_place on poimill.place_history (pipeline, id);
create unique index place_history_open on poimill.place_history (pipeline, id) where valid_to = 'infinity';

comment on table poimill.place_history is 'Versions of places, one row each. A place without a row here has been as it is in place since the first load of its pipeline.';
comment on column poimill.place_history.pipeline is 'Name of the pipeline.';
comment on column poimill.place_history.valid_from is 'Vintage of the snapshot that brought the version; missing when that snapshot is undated.';
comment on column poimill.place_history.valid_to is 'Vintage of the snapshot that ended the version; infinity while it lasts; missing when that snapshot is undated.';
comment on column poimill.place_history.snapshot is 'Id of the snapshot that brought the version.';
comment on column poimill.place_history.recorded_at is 'When the version was loaded; orders the versions where an older vintage was loaded after a newer one.';

create sequence poimill.change_seq;

create table poimill.change (
    seq bigint not null primary key,
    pipeline text not null,
    snapshot text not null,
    base text,
    class text not null,
    cause text,
    place_id uuid,
    related_id uuid,
    changed_fields text [] not null default '{}',
    moved_m double precision,
    old_values jsonb,
    recorded_at timestamptz not null default now()
);

comment on table poimill.change is 'Feed of changes: whoever has read up to a seq will never see a smaller one appear. Each load that adds rows notifies the channel poimill_change.';
comment on column poimill.change.seq is 'Position in the feed; grows in the order of commits; has gaps.';
comment on column poimill.change.pipeline is 'Name of the pipeline.';
comment on column poimill.change.snapshot is 'Id of the snapshot that brought the change.';
comment on column poimill.change.base is 'Id of the snapshot that the pipeline stood at before; missing for the first.';
comment on column poimill.change.class is 'loaded for a first load as a whole (read place then); else added, removed, modified, moved, touched, merged, split or revived.';
comment on column poimill.change.cause is 'source when a source record changed, conflation when only the decision which records belong together did.';
comment on column poimill.change.place_id is 'The place; missing for loaded.';
comment on column poimill.change.related_id is 'For merged, the place it went into; for split, the place it came from; else missing.';
comment on column poimill.change.changed_fields is 'Columns of place whose value differs.';
comment on column poimill.change.moved_m is 'Distance between the old and the new position in metres; missing where it did not move.';
comment on column poimill.change.old_values is 'The old values of the changed columns; of a place that is gone, all of them.';
comment on column poimill.change.recorded_at is 'When the change was loaded.';

create table poimill.run (
    id bigint generated always as identity primary key,
    pipeline text not null,
    snapshot text not null,
    base text,
    vintage timestamptz,
    mode text not null,
    places bigint not null,
    changes bigint not null,
    loaded_at timestamptz not null default now()
);

create index run_pipeline on poimill.run (pipeline, id);

comment on table poimill.run is 'Ledger of loads that changed something; the newest row of a pipeline says where it stands.';
comment on column poimill.run.id is 'Grows with every load of a pipeline.';
comment on column poimill.run.pipeline is 'Name of the pipeline.';
comment on column poimill.run.snapshot is 'Id of the snapshot that the pipeline stands at since.';
comment on column poimill.run.base is 'Id of the snapshot that it stood at before; missing for the first.';
comment on column poimill.run.vintage is 'As-of time of the snapshot; missing when it is undated.';
comment on column poimill.run.mode is 'How it was loaded: first, changes (by the change set), compare (in full, inside the database) or replace.';
comment on column poimill.run.places is 'Places after the load.';
comment on column poimill.run.changes is 'Places written or deleted.';
comment on column poimill.run.loaded_at is 'When it was loaded.';

-- Vector tiles, found by martin and pg_tileserv through its signature.
create function poimill.place_tiles(z integer, x integer, y integer, query json default '{}')
returns bytea
language sql stable parallel safe
as $$
    with tile as (
        select
            st_tileenvelope(z, x, y) as envelope,
            -- As far around the tile as its buffer of 64 of 4096 units reaches.
            st_expand(st_transform(st_tileenvelope(z, x, y), 4326), 360.0 / (1::bigint << z) * 64 / 4096) as reach
    ),
    feature as (
        select
            p.id::text as id,
            p.pipeline,
            p.category,
            p.name,
            p.operator,
            p.status,
            p.access,
            p.capacity,
            p.max_power_kw,
            st_asmvtgeom(st_transform(p.geometry, 3857), tile.envelope, 4096, 64, true) as geometry
        from tile
        inner join poimill.place as p on p.geometry && tile.reach
        where
            -- Web Mercator ends here.
            abs(st_y(p.geometry)) < 85.06
            and (query ->> 'pipeline' is null or p.pipeline = query ->> 'pipeline')
            and (query ->> 'category' is null or p.category = query ->> 'category')
    )
    select st_asmvt(feature, 'place', 4096, 'geometry') from feature where feature.geometry is not null
$$;

comment on function poimill.place_tiles(integer, integer, integer, json) is 'Vector tile of places in a layer named place. The query may name a pipeline and a category.';
