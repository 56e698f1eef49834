-- Where a pipeline stands; nothing where one of its leaves is gone.
select r.snapshot
from poimill.run as r
where
    r.pipeline = $1
    and exists (
        select from pg_inherits as i inner join pg_class as c on c.oid = i.inhrelid
        where i.inhparent = 'poimill.place'::regclass and c.relname = any($2::text [])
    )
    and exists (
        select from pg_inherits as i inner join pg_class as c on c.oid = i.inhrelid
        where i.inhparent = 'poimill.place_source'::regclass and c.relname = any($3::text [])
    )
order by r.id desc
limit 1
