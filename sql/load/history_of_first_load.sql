-- Ends the versions that the first load brought: until they end, place itself is their record.
insert into poimill.place_history (pipeline, {columns}, valid_from, valid_to, snapshot, recorded_at)
select o.pipeline, {old_columns}, first.vintage, $2, first.snapshot, first.loaded_at
from pg_temp.delta as d
inner join {old} as o on o.pipeline = $1 and o.id = d.id
cross join (select * from poimill.run where pipeline = $1 order by id limit 1) as first
where
    d.class <> 'touched'
    and not exists (
        select from poimill.place_history as h
        where h.pipeline = $1 and h.id = d.id and h.valid_to = 'infinity'
    )
