-- What a load is about to do, in the shape of `changes/places`. A row without geometry is a place that is gone.
create temporary table delta on commit drop as
select
    null::text as class,
    null::text as cause,
    null::uuid as related_id,
    null::text [] as changed_fields,
    null::double precision as moved_m,
    null::jsonb as old_values,
    p.*
from {like} as p
with no data;

alter table pg_temp.delta drop column pipeline, add column position bigint generated always as identity;
