-- Rows that are there as they should be are not even locked.
insert into poimill.place_source (pipeline, {columns})
select $1, {new_columns}
from pg_temp.new_place_source as n
left join poimill.place_source as o on o.pipeline = $1 and o.dataset = n.dataset and o.record_id = n.record_id
where o.pipeline is null or ({new_columns}) is distinct from ({old_columns})
on conflict (pipeline, dataset, record_id) do update set ({columns}) = row({excluded_columns})
