select count(*) from poimill.place where pipeline = $1
