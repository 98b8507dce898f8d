-- Trying commands without changing anything. A script that may not call one of its commands stops there, and what it wrote
-- before stays; so all are called once when a session opens, in a way that has no effect: on a string (the marker of the
-- queue's kind), where those of other types fail, or on a key that is not there.
-- keys: OWN_KIND OTHER_KIND TASKS

local ON_A_STRING = {
  HDEL = {''}, HEXISTS = {''}, HGET = {''}, HGETALL = {}, HINCRBY = {'', 1}, HKEYS = {}, HLEN = {}, HMGET = {''},
  HSCAN = {0}, HSET = {'', ''}, HSETNX = {'', ''}, HSTRLEN = {''},
  LLEN = {}, LPOP = {1}, LPUSH = {''}, LRANGE = {0, 0}, LREM = {1, ''}, RPUSH = {''},
  SADD = {''}, SISMEMBER = {''}, SMEMBERS = {}, SMISMEMBER = {''}, SREM = {''},
  ZADD = {1, ''}, ZCARD = {}, ZCOUNT = {0, 0}, ZPOPMIN = {1}, ZRANGE = {0, 0}, ZRANGEBYSCORE = {0, 0}, ZREM = {''},
  ZREVRANGE = {0, 0}, ZSCORE = {''},
  EXISTS = {}, GET = {}, INCR = {}, INCRBY = {1}, SET = {'', 'NX'},
}
local ON_NOTHING = {DEL = true, UNLINK = true}
local CHANNELS = {'client:', 'notice:', 'notices', 'progress:'}

-- The error reply for what the configuration forbids; nil for any other error.
local function refused(message, command)
  local text = string.lower(message)
  if string.find(text, 'channel', 1, true) then
    return redis.error_reply("NOPERM this user has no permissions to access one of the channels")
  end
  if string.find(text, 'permission', 1, true) or string.find(text, "can't run this command", 1, true) then
    return redis.error_reply("NOPERM this user has no permissions to run the '" .. command .. "' command")
  end
  if string.find(text, 'unknown', 1, true) then return redis.error_reply("UNKNOWN command '" .. command .. "'") end
  if string.find(text, 'non deterministic', 1, true) then return redis.error_reply('REPLICATES scripts') end
  if string.find(text, 'readonly', 1, true) then
    local info = redis.pcall('INFO', 'replication')
    local host, port
    if type(info) == 'string' and string.find(info, 'master_link_status:up', 1, true) then
      host, port = string.match(info, 'master_host:([^\r\n]+)'), string.match(info, 'master_port:(%d+)')
    end
    return redis.error_reply(host and 'READONLY replica of ' .. host .. ':' .. port or message)
  end
end

local function try(command, ...)
  local reply = redis.pcall(command, ...)
  if type(reply) == 'table' and reply.err then return refused(reply.err, command) end
end

local function try_publish()
  local prefix = string.sub(TASKS, 1, -1 - #'tasks')
  for _, channel in ipairs(CHANNELS) do
    local refusal = try('PUBLISH', prefix .. channel, '?')
    if refusal then return refusal end
  end
end

-- Try all from an index on; the error reply of the first that is forbidden. TIME comes first: some servers let no script
-- write after it.
local function refusal(commands, from)
  local found = try('TIME')
  for i = from, #commands do
    local command = commands[i]
    if found then return found end
    if command == 'PUBLISH' then
      found = try_publish()
    elseif ON_NOTHING[command] then
      found = try(command, OTHER_KIND)
    elseif ON_A_STRING[command] then
      found = try(command, OWN_KIND, unpack(ON_A_STRING[command]))
    end
  end
  return found
end
