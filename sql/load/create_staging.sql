-- Whole tables of a snapshot, to be compared with what is there.
create temporary table new_place (like poimill.place) on commit drop;
alter table pg_temp.new_place drop column pipeline;

create temporary table new_place_source (like poimill.place_source) on commit drop;
alter table pg_temp.new_place_source drop column pipeline;
