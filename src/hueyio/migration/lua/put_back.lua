-- Put back what is aside under a token, to where Huey's consumer takes next.

local function put_back(token)
    local kept = redis.call('HGET', KEYS[3], token)
    if not kept then
        return
    end
    local head, member = string.match(kept, '^([^\n]*)\n(.*)$')
    local place, kind, score = string.match(head, '^(%S+) (%S+) (%S*)$')
    local key = place == 'schedule' and KEYS[2] or KEYS[1]
    if kind == 'zset' then
        redis.call('ZADD', key, score, member)
    else
        redis.call('RPUSH', key, member)
    end
    redis.call('HDEL', KEYS[3], token)
end
