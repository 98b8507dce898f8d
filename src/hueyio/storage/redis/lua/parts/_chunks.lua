-- One command over a list of any length: `unpack` cannot take more than a few thousand values.

local CHUNK = 1000

-- Read fields (HMGET, SMISMEMBER, ZMSCORE); what is not there is false.
local function fetch(command, key, fields)
  local count = #fields
  if count == 0 then return {} end
  if count <= CHUNK then return redis.call(command, key, unpack(fields)) end
  local all = {}
  for from = 1, count, CHUNK do
    local part = redis.call(command, key, unpack(fields, from, math.min(from + CHUNK - 1, count)))
    for i = 1, #part do all[from - 1 + i] = part[i] end
  end
  return all
end

-- Change fields (HSET, HDEL, RPUSH, ...). A list of pairs stays paired, because the chunk is even.
local function apply(command, key, list)
  local count, sum = #list, 0
  for from = 1, count, CHUNK do
    sum = sum + redis.call(command, key, unpack(list, from, math.min(from + CHUNK - 1, count)))
  end
  return sum
end
