insert into poimill.run (pipeline, snapshot, base, vintage, mode, places, changes)
values ($1, $2, $3, $4, $5, $6, $7)
