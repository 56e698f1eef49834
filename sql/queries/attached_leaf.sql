-- Which of the two names of a pipeline's leaf is the partition now.
select c.relname::text
from pg_inherits as i
inner join pg_class as c on c.oid = i.inhrelid
where i.inhparent = $1::text::regclass and c.relname = any($2::text [])
