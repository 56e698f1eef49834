-- Only the parents: the leaves of other pipelines have nothing to do with it.
lock table only poimill.place, only poimill.place_source in access exclusive mode
