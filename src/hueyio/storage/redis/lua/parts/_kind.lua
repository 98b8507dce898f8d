-- Which kind of ready queue a name has: `kind:list` or `kind:sorted` is there, and holds the class that wrote it. Both kinds
-- under one name would hide tasks from each other, so whoever finds the other's says so.
-- keys: OTHER_KIND

local function refuse_other_kind()
  return redis.error_reply('WRONGKIND ' .. (redis.call('GET', OTHER_KIND) or ''))
end

local function is_other_kind()
  return redis.call('EXISTS', OTHER_KIND) == 1
end
