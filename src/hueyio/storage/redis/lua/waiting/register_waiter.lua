-- Register a client as a waiter, after taking other registrations back. ARGV: client, how many to take back,
-- (id, number)* of those, (id, number)* of the new ones; a number with a mark behind it waits even if nothing is known of the
-- id. Answers (id, number, what, data)* for those that are over: `what` is d data follows (1: it is large, see `_large`), n
-- nothing is stored (D, if several clients waited for it), and the letter of how it ended, if that is known.
-- keys: TASKS EXPECTED
-- parts: _waiting _large _tombstones
-- first: _find_at_once

local NUMBER_LENGTH = ENTRY_LENGTH - CLIENT_LENGTH
local client, withdrawn = ARGV[1], tonumber(ARGV[2])

-- A row without the entry of this client, or only without the one of this number.
local function row_without(row, number)
  for at = 1, #row, ENTRY_LENGTH do
    local stop = at + ENTRY_LENGTH - 1
    if string.sub(row, at, at + CLIENT_LENGTH - 1) == client
      and (not number or string.sub(row, at + CLIENT_LENGTH, stop) == number) then
      return string.sub(row, 1, at - 1) .. string.sub(row, stop + 1)
    end
  end
  return row
end

local function withdraw(id, number)
  local row = redis.call('HGET', WAITING, id)
  if not row then return end
  local rest = row_without(row, number)
  if rest == '' then redis.call('HDEL', WAITING, id) else redis.call('HSET', WAITING, id, rest) end
end

local function enter(id, number)
  local row = redis.call('HGET', WAITING, id)
  redis.call('HSET', WAITING, id, (row and row_without(row) or '') .. client .. number)
end

local found = {}
local function register(id, marked)
  local number = string.sub(marked, 1, NUMBER_LENGTH)
  if redis.call('HEXISTS', TASKS, id) == 1 or redis.call('HEXISTS', EXPECTED, id) == 1 then return enter(id, number) end
  local data, kind = small_value(RESULTS, RESULTS_TTL, id), recall({id})[1]
  if not data and not kind and #marked > NUMBER_LENGTH then return enter(id, number) end
  withdraw(id)  -- where it was registered, the end was forgotten together with the task
  local what = data and 'd' or 'n'
  if data and redis.call('ZSCORE', SHARED, id) then what = 'D' end
  for _, value in ipairs({id, number, what .. (kind or ''), data or ''}) do found[#found + 1] = value end
end

local at = 3
for i = 1, withdrawn do
  withdraw(ARGV[at], ARGV[at + 1])
  at = at + 2
end
for i = at, #ARGV, 2 do register(ARGV[i], ARGV[i + 1]) end
return found
