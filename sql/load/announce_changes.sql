-- Only under the lock of the feed, so that numbers grow in the order of commits.
insert into poimill.change
(seq, pipeline, snapshot, base, class, cause, place_id, related_id, changed_fields, moved_m, old_values)
select nextval('poimill.change_seq'), $1, $2, $3, d.class, d.cause, d.id, d.related_id, d.changed_fields, d.moved_m, d.old_values
from (select * from pg_temp.delta order by position) as d
