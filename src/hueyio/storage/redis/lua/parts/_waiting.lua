-- Telling the waiters. A row of `waiting` is a chain of entries, one per client: its name (12 characters) and the number
-- of its registration (8). Each client gets one message for all that a script ends, on a channel of its own:
--
--   ( <number: 8> <what> <length: 4> <id> [ <length: 4> <data> ] )*
--
-- what: d data follows and it is done, b there is data to be fetched, because it is too big for a message or not that of a
-- task that is done. Without data: n it is done, or the letter of another way to end. Upper case when several clients wait
-- for it (see `_share_once`). A client of hueyio 0.1 takes the other letters for an n.
-- keys: WAITING RESULTS RESULTS_TTL SHARED
-- parts: _areas _share_<results>

local CLIENT_LENGTH, ENTRY_LENGTH = 12, 20
local BIG, FULL = 65536, 1048576
local CLIENT_CHANNEL = string.sub(WAITING, 1, -1 - #'waiting') .. 'client:'
local post, post_size = {}, {}

local function put_in_post(client, piece)
  if not post[client] then post[client] = {} end
  local messages = post[client]
  if #messages == 0 or post_size[client] > FULL then
    messages[#messages + 1], post_size[client] = {}, 0
  end
  table.insert(messages[#messages], piece)
  post_size[client] = post_size[client] + #piece
end

local function tell_row(id, row, data, kind)
  local shared = #row > ENTRY_LENGTH
  local what = kind == 'd' and 'n' or kind
  if data then what = (#data > BIG or kind ~= 'd') and 'b' or 'd' end
  local tail = (shared and string.upper(what) or what) .. struct.pack('>I4', #id) .. id
  if what == 'd' then tail = tail .. struct.pack('>I4', #data) .. data end
  if shared and data then share(id) end
  for at = 1, #row, ENTRY_LENGTH do
    local numbered = at + CLIENT_LENGTH
    put_in_post(string.sub(row, at, numbered - 1), string.sub(row, numbered, at + ENTRY_LENGTH - 1) .. tail)
  end
end

-- Tell the waiters of ids that are over. Results come from `known` (id -> data), or are read; `kinds` has the letters by id.
local function tell(ids, known, kinds)
  if #ids == 0 or redis.call('EXISTS', WAITING) == 0 then return end
  local told = {}
  for i, row in ipairs(fetch('HMGET', WAITING, ids)) do
    local id = ids[i]
    if row then
      tell_row(id, row, known[id] or live_value(RESULTS, RESULTS_TTL, id), kinds[id])
      told[#told + 1] = id
    end
  end
  apply('HDEL', WAITING, told)
end

-- After all writes, and in protected calls: a server that lets this user publish no more must not leave a script half done.
local function send_post()
  for client, messages in pairs(post) do
    for _, pieces in ipairs(messages) do redis.pcall('PUBLISH', CLIENT_CHANNEL .. client, table.concat(pieces)) end
  end
end
