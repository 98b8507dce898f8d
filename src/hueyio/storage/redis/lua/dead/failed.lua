-- List letters of both stores, the latest first, of those of one time the last id first: whether that is all, when the last
-- one was buried that was looked at, its id, and (id, when, kind, name, reason, record)*.
-- ARGV: limit, at how many to look, when and id of the one after which to begin, or '', since, until, or '', letters of the
-- kinds, or '', whether a name is wanted, which, text that the reason has.
-- parts: _letters

local limit, most = tonumber(ARGV[1]), tonumber(ARGV[2])
local after_time, after_id, since, kinds = ARGV[3], ARGV[4], ARGV[5], ARGV[7]
local later = ARGV[6]  -- what was buried then is not listed, nor what was later
if after_time ~= '' and (later == '' or tonumber(after_time) < tonumber(later)) then later = '(' .. after_time end

local function comes_before(one, other)
  if one.time ~= other.time then return one.time > other.time end
  return one.id > other.id
end

local function list(store, times_key)
  local places = {}
  local from = later == '' and 0 or redis.call('ZCOUNT', times_key, later, '+inf')
  local listed = redis.call('ZREVRANGE', times_key, from, from + 2 * most - 1, 'WITHSCORES')
  for i = 1, #listed, 2 do
    local place = {id = listed[i], time = tonumber(listed[i + 1]), said = listed[i + 1], store = store}
    if since ~= '' and place.time < tonumber(since) then break end
    if after_time == '' or place.time < tonumber(after_time) or place.id < after_id then places[#places + 1] = place end
  end
  return places
end

local places = list('f', FAILED_TIMES)
for _, place in ipairs(list('d', DEAD_TIMES)) do places[#places + 1] = place end
table.sort(places, comes_before)

local function letter_of(place)
  local letter = read_letters(place.store, {place.id}, {place.said})[1]
  if not letter then return nil end
  local kind = letter[3] == '' and 'l' or letter[3]  -- it is not known of one that an earlier hueyio wrote
  if kinds ~= '' and not string.find(kinds, kind, 1, true) then return nil end
  if ARGV[8] == '1' and letter[4] ~= ARGV[9] then return nil end
  if ARGV[10] ~= '' and not string.find(letter[5], ARGV[10], 1, true) then return nil end
  return letter
end

local found, count, last = {}, 0, nil
for i, place in ipairs(places) do
  if i > most or count == limit then return {0, last.said, last.id, found} end
  last = place
  local letter = letter_of(place)
  if letter then
    count = count + 1
    for j = 1, 6 do found[#found + 1] = letter[j] end
  end
end
return {1, '', '', found}
