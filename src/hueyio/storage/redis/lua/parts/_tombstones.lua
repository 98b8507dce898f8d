-- Which way ids ended that are over. Those that are done stand in a set, of any others a hash has a letter each: so any text
-- is an id, and nearly every end costs one member. There are two of each, which take turns: when those whose turn it is have
-- got half of what is to be kept, or are half a day old, the others are emptied and go on. `state`: `turn`, 1 or 2; `count`,
-- how many ends they got; `begun`, when; `forgotten`, up to when what ended may have been forgotten. `_settle_plain` writes
-- the same.
-- keys: ENDED_ONE ENDED_TWO ENDED_KINDS_ONE ENDED_KINDS_TWO ENDED_STATE
-- parts: _clock _chunks

local HALF_AN_AGE = 43200
local ENDED = {{ENDED_ONE, ENDED_KINDS_ONE}, {ENDED_TWO, ENDED_KINDS_TWO}}
local half_kept = 0  -- how many ends are remembered until it is the others' turn; 0: none

local function turn_tombstones(turn, begun)
  local stamp = string.format('%.17g', now())
  local next_turn = begun and 3 - turn or turn
  if redis.call('EXISTS', unpack(ENDED[next_turn])) > 0 then
    redis.call('UNLINK', unpack(ENDED[next_turn]))
    redis.call('HSET', ENDED_STATE, 'forgotten', begun or stamp)
  end
  redis.call('HSET', ENDED_STATE, 'turn', next_turn, 'count', 0, 'begun', stamp)
  return next_turn
end

local function tombstone_state()
  local state = redis.call('HMGET', ENDED_STATE, 'turn', 'count', 'begun')
  return tonumber(state[1] or 1), tonumber(state[2] or 0), state[3]
end

-- Drop what is too old.
local function age_tombstones()
  local turn, _, begun = tombstone_state()
  if not begun or tonumber(begun) > now() - HALF_AN_AGE then return end
  if redis.call('EXISTS', ENDED_ONE, ENDED_TWO, ENDED_KINDS_ONE, ENDED_KINDS_TWO) > 0 then turn_tombstones(turn, begun) end
end

-- Take back what is remembered of ids.
local function forget(ids)
  for _, keys in ipairs(ENDED) do
    apply('SREM', keys[1], ids)
    apply('HDEL', keys[2], ids)
  end
end

-- Remember ends; `kinds` has their letters by id.
local function remember(ids, kinds)
  if half_kept == 0 then return end
  local turn, count, begun = tombstone_state()
  if not begun or count >= half_kept then turn = turn_tombstones(turn, begun) end
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
  apply('SADD', ENDED[turn][1], done)
  apply('HSET', ENDED[turn][2], others)
  redis.call('HINCRBY', ENDED_STATE, 'count', #ids)
end

-- The letters of ids, false where there is none.
local function recall(ids)
  local kinds = {}
  for _, keys in ipairs(ENDED) do
    local done, others = fetch('SMISMEMBER', keys[1], ids), fetch('HMGET', keys[2], ids)
    for i = 1, #ids do kinds[i] = kinds[i] or others[i] or done[i] == 1 and 'd' end
  end
  return kinds
end
