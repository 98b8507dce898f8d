-- Say which way ids ended. ARGV: whether any ends are remembered, then ids. Answers a letter for each, or nil, and up to when
-- what ended may have been forgotten: '' nothing was.
-- parts: _tombstones

local ids = {}
for i = 2, #ARGV do ids[i - 1] = ARGV[i] end
local since = redis.call('HGET', ENDED_STATE, 'forgotten') or ''
if ARGV[1] == '0' then since = string.format('%.17g', now()) end
return {recall(ids), since}
