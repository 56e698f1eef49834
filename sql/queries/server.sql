select
    current_setting('server_version_num')::integer as version_number,
    current_setting('server_version') as version,
    exists (select from pg_extension where extname = 'postgis') as has_postgis
