-- Delete all values of an area.
-- keys: AREA AREA_TTL

redis.call('UNLINK', AREA, AREA_TTL)
