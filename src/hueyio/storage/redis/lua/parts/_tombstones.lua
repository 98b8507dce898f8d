-- Which way ids ended that are over. Those that are done stand in a set, of any others a hash has a letter each: so any text
-- is an id, and nearly every end costs one member. There are two of each. When the new ones have half of what is to be kept,
-- or are half a day old, the old ones are dropped and the new ones become the old. `since`: `new`, when the new ones were
-- begun; `forgotten`, up to when what ended may have been forgotten. `_settle_plain` writes the same.
-- keys: ENDED_NEW ENDED_OLD ENDED_KINDS_NEW ENDED_KINDS_OLD ENDED_SINCE
-- parts: _clock _chunks

local HALF_AN_AGE = 43200
local half_kept = 0  -- how many ids the new ones hold at most; 0: none are kept

local function begin_tombstones()
  redis.call('HSET', ENDED_SINCE, 'new', string.format('%.17g', now()))
end

local function turn_tombstones()
  if redis.call('EXISTS', ENDED_OLD, ENDED_KINDS_OLD) > 0 then
    redis.call('HSET', ENDED_SINCE, 'forgotten', redis.call('HGET', ENDED_SINCE, 'new') or string.format('%.17g', now()))
    redis.call('UNLINK', ENDED_OLD, ENDED_KINDS_OLD)
  end
  if redis.call('EXISTS', ENDED_NEW) == 1 then redis.call('RENAME', ENDED_NEW, ENDED_OLD) end
  if redis.call('EXISTS', ENDED_KINDS_NEW) == 1 then redis.call('RENAME', ENDED_KINDS_NEW, ENDED_KINDS_OLD) end
  begin_tombstones()
end

-- Drop what is too old.
local function age_tombstones()
  if redis.call('EXISTS', ENDED_NEW, ENDED_KINDS_NEW, ENDED_OLD, ENDED_KINDS_OLD) == 0 then return end
  local begun = redis.call('HGET', ENDED_SINCE, 'new')
  if not begun or tonumber(begun) <= now() - HALF_AN_AGE then turn_tombstones() end
end

-- Take back what is remembered of ids.
local function forget(ids)
  apply('SREM', ENDED_NEW, ids)
  apply('SREM', ENDED_OLD, ids)
  apply('HDEL', ENDED_KINDS_NEW, ids)
  apply('HDEL', ENDED_KINDS_OLD, ids)
end

-- Remember ends; `kinds` has their letters by id.
local function remember(ids, kinds)
  if half_kept == 0 then return end
  local size = redis.call('SCARD', ENDED_NEW) + redis.call('HLEN', ENDED_KINDS_NEW)
  if size >= half_kept then
    turn_tombstones()
  elseif size == 0 then
    begin_tombstones()
  end
  local done, others = {}, {}
  for _, id in ipairs(ids) do
    local kind = kinds[id]
    if kind == 'd' then
      done[#done + 1] = id
    else
      others[#others + 1] = id
      others[#others + 1] = kind
    end
  end
  forget(ids)  -- a later end replaces an earlier one
  apply('SADD', ENDED_NEW, done)
  apply('HSET', ENDED_KINDS_NEW, others)
end

-- The letters of ids, false where there is none.
local function recall(ids)
  local kinds = {}
  for _, keys in ipairs({{ENDED_NEW, ENDED_KINDS_NEW}, {ENDED_OLD, ENDED_KINDS_OLD}}) do
    local others = fetch('HMGET', keys[2], ids)
    local done = fetch('SMISMEMBER', keys[1], ids)
    for i = 1, #ids do kinds[i] = kinds[i] or others[i] or done[i] == 1 and 'd' end
  end
  return kinds
end
