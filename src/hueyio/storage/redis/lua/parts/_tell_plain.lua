-- Telling waiters as nearly always, for `_settle_plain`: the task is done, one client waits for it, and its result is small.
-- `_waiting` does all else, and says what a message looks like.
-- keys: WAITING

-- Return {ids: who was waited for, mail: client -> pieces}; nil: it is not plain. `results` has data by id, `others` the ids
-- that are not done.
local function plan_mail(ids, results, others)
  local told, mail, size = {}, {}, 0
  for i, row in ipairs(redis.call('HMGET', WAITING, unpack(ids))) do
    local id = ids[i]
    if row then
      local data = results[id]
      size = size + #id + (data and #data or 0)
      if #row ~= 20 or others[id] or data and #data > 65536 or size > 1048576 then return nil end
      local client, piece = string.sub(row, 1, 12), string.sub(row, 13) .. (data and 'd' or 'n') .. struct.pack('>I4', #id) .. id
      if data then piece = piece .. struct.pack('>I4', #data) .. data end
      told[#told + 1] = id
      mail[client] = (mail[client] or '') .. piece
    end
  end
  return {ids = told, mail = mail}
end

-- After all writes, and in protected calls, as in `_waiting`.
local function send_mail(mail)
  local channel = string.sub(WAITING, 1, -1 - #'waiting') .. 'client:'
  for client, text in pairs(mail) do redis.pcall('PUBLISH', channel .. client, text) end
end
