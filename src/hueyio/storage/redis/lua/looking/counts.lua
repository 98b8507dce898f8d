-- Count everything: queued in each lane, suspects, scheduled, running, expected, results, dead, dropped, latches, failed.
-- ARGV: the fleet.
-- keys: SCHEDULE EXPECTED RESULTS RESULTS_TTL DEAD DEAD_DROPPED LATCHES FAILED HELD*
-- parts: _fleet _lanes _clock _kind

if is_other_kind() then return refuse_other_kind() end
local others = strangers()
if others then return others end
local counted, suspects, running = {}, 0, 0
for i, lane in ipairs(LANES) do
  counted[i] = length(READY[lane])
  suspects = suspects + length(SUSPECTS[lane])
end
for i = 1, FLEET do running = running + redis.call('HLEN', held_of(i)) end
counted[4] = suspects
counted[5] = redis.call('ZCARD', SCHEDULE)
counted[6] = running
counted[7] = redis.call('HLEN', EXPECTED)
counted[8] = redis.call('HLEN', RESULTS) - redis.call('ZCOUNT', RESULTS_TTL, '-inf', now())
counted[9] = redis.call('HLEN', DEAD)
counted[10] = tonumber(redis.call('GET', DEAD_DROPPED) or 0)
counted[11] = redis.call('HLEN', LATCHES)
counted[12] = redis.call('HLEN', FAILED)
return {'ok', counted}
