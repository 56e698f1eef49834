-- Ends the versions that later loads brought.
update poimill.place_history as h
set valid_to = $2
from pg_temp.delta as d
where h.pipeline = $1 and h.id = d.id and h.valid_to = 'infinity' and d.class <> 'touched'
