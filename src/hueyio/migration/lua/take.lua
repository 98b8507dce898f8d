-- Move messages of Huey's aside; return the numbers of those that were there, in the order of the arguments.
--
-- KEYS: the queue, the schedule, the hash of what is aside
-- ARGV: 1 if all must be there; then for each message its token, its place and its member.
--
-- The hash has the place, the score (of a sorted set) and the member, so that it can be given back.

local found = {}
for i = 2, #ARGV, 3 do
    local place, member = ARGV[i + 1], ARGV[i + 2]
    local key = place == 'schedule' and KEYS[2] or KEYS[1]
    local kind = redis.call('TYPE', key).ok
    local score = ''
    local there = 0
    if kind == 'zset' then
        score = redis.call('ZSCORE', key, member) or ''
        there = redis.call('ZREM', key, member)
    elseif kind == 'list' then
        -- Huey's consumers take from the tail, and so do we: it is found at once.
        there = redis.call('LREM', key, -1, member)
    end
    if there == 1 then
        found[#found + 1] = (i - 2) / 3
        redis.call('HSET', KEYS[3], ARGV[i], place .. ' ' .. kind .. ' ' .. score .. '\n' .. member)
    end
end
if ARGV[1] == '1' and #found < (#ARGV - 1) / 3 then
    for position = #found, 1, -1 do
        local token = ARGV[2 + found[position] * 3]
        put_back(token)
    end
    return {}
end
return found
