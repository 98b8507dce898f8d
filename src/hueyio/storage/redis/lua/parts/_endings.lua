-- The end of tasks. What is over is gathered and written together by `write_endings`, because nearly all endings are plain:
-- released, at most a result, nothing else.
-- keys: UNIQUE CANCELLED
-- parts: _held _expected _stages _waiting _latch_rows _tombstones

local MEMBER_TTL = 600  -- seconds for which the results of a chord's members stay when its callback is over
local over, kinds, results, results_by_id, nothing = {}, {}, {}, {}, {}
local results_ttl

-- Let a task be over; `result` nil: nothing is stored. `kind` is the letter of how it ended.
local function finish(id, result, ttl, kind)
  over[#over + 1] = id
  kinds[id] = kind
  if not result then
    nothing[#nothing + 1] = id
    return
  end
  if #results > 0 and ttl ~= results_ttl then
    store(RESULTS, RESULTS_TTL, results, results_ttl)
    results = {}
  end
  results_ttl = ttl
  results[#results + 1] = id
  results[#results + 1] = result
  results_by_id[id] = result
end

-- Let ids be over that nobody will make tasks any more, and the stages after them.
local function abandon(orphans)
  for _, id in ipairs(orphans) do
    local namer, later = nil, id
    repeat
      over[#over + 1] = later
      kinds[later] = 'c'
      namer, later = later, take_stage(later)
    until not later or not no_longer_expect(later, namer)
  end
end

-- Free what a task held by its header, for its end; `is_kept`: a letter keeps what its members left. Returns the ids that
-- nobody expects any more.
local function unbind(id, header, is_kept)
  local orphans = {}
  if header.unique_key and redis.call('HGET', UNIQUE, header.unique_key) == id then
    redis.call('HDEL', UNIQUE, header.unique_key)
  end
  if header.collects and not is_kept then
    expire_sooner(members_of(id), MEMBER_TTL)
    drop_latch(id)
  end
  for _, named in ipairs(header.expects or {}) do
    if no_longer_expect(named, id) then orphans[#orphans + 1] = named end
  end
  return orphans
end

local function write_results()
  if #results > 0 then store(RESULTS, RESULTS_TTL, results, results_ttl) end
  if #nothing > 0 then drop(RESULTS, RESULTS_TTL, nothing) end
  results, nothing = {}, {}
end

-- Write all that is gathered and tell the waiters.
local function write_endings()
  if #over == 0 then return end
  if redis.call('EXISTS', SHARED) == 1 then apply('ZREM', SHARED, over) end
  if redis.call('EXISTS', CANCELLED) == 1 then apply('SREM', CANCELLED, over) end
  write_results()
  remember(over, kinds)
  tell(over, results_by_id, kinds)
  over, kinds, results_by_id = {}, {}, {}
end
