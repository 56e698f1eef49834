delete from poimill.place_source as o
where
    o.pipeline = $1
    and not exists (
        select from pg_temp.new_place_source as n where n.dataset = o.dataset and n.record_id = o.record_id
    )
