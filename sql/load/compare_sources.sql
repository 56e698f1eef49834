-- Places with a record that came, went or changed.
create temporary table changed_record on commit drop as
select distinct side.place_id
from {new_source} as n
full join (select * from {old_source} where pipeline = {pipeline}) as o
    on n.dataset = o.dataset and n.record_id = o.record_id
cross join lateral (values (n.place_id), (o.place_id)) as side (place_id)
where
    (n.content_hash, n.update_time) is distinct from (o.content_hash, o.update_time)
    and side.place_id is not null;

analyze pg_temp.changed_record;
