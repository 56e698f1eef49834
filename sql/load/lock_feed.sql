select pg_advisory_xact_lock(hashtextextended('poimill feed', 0))
