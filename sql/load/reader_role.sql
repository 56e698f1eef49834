-- Whoever reads and never writes. A role is of the whole server: another database may be making it at the same time.
do $$
begin
    if not exists (select from pg_roles where rolname = 'poimill_reader') then
        begin
            create role poimill_reader nologin;
        exception
            when duplicate_object or unique_violation then null;
        end;
    end if;
end
$$;

grant usage on schema poimill to poimill_reader;
grant select on poimill.place, poimill.place_source, poimill.place_history, poimill.change, poimill.run to poimill_reader;
grant execute on function poimill.place_tiles to poimill_reader;
