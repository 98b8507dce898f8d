-- A task as the tasks hash holds it; `records.py` writes the same.
--
--   plain:   <lane: l, t or p> <message>
--   other:   <lane: L, T or P> <kind> <length of header> ":" <header as JSON> <message>
--
-- kind: 'a' nothing that matters here; 'b' it holds a unique key, expects ids or collects, so that its end must read it;
-- 'c' an enqueue must look at its eta or once token; 'd' both.

local LOOP, THREAD, PROCESS = 108, 116, 112

local function lane_of(record)
  local first = string.byte(record)
  return first < 97 and first + 32 or first
end

local function is_plain(record)
  return string.byte(record) >= 97
end

-- Whether the end of this task must look into its header.
local function is_bound(record)
  local lane, kind = string.byte(record, 1, 2)
  return lane < 97 and (kind == 98 or kind == 100)
end

-- The header, and where the message begins.
local function read_header(record)
  if is_plain(record) then return {}, 2 end
  local colon = string.find(record, ':', 3, true)
  local stop = colon + tonumber(string.sub(record, 3, colon - 1))
  return cjson.decode(string.sub(record, colon + 1, stop)), stop + 1
end

-- What is known of a task's deliveries, in the in-flight row and, when there is something to know, in `deliveries`
-- while it is not in flight: <deliveries> then s (its start is written), q (a suspect), x (bound, see above), p (it has
-- reported progress).
local function read_row(row)
  if row == '0' then return 0, '' end
  local deliveries, flags = string.match(row, '^(%d+)(%a*)$')
  return tonumber(deliveries), flags
end

local function has(flags, flag)
  return flags ~= '0' and string.find(flags, flag, 1, true) ~= nil
end
