-- Make tasks of dead letters again. ARGV: (id, when it was buried, new record)*; one that was buried at another time is
-- not what the caller has read. Answers how many.
-- keys: DEAD DEAD_TIMES
-- parts: _entries _kind _tombstones

if is_other_kind() then return refuse_other_kind() end
local count = 0
for i = 1, #ARGV, 3 do
  local id = ARGV[i]
  if redis.call('ZSCORE', DEAD_TIMES, id) == ARGV[i + 1]
    and not add(id, ARGV[i + 2], redis.call('HEXISTS', TASKS, id) == 1) then
    redis.call('ZREM', DEAD_TIMES, id)
    redis.call('HDEL', DEAD, id)
    forget({id})
    forget(read_header(ARGV[i + 2]).expects or {})
    count = count + 1
  end
end
write_entries()
return count
