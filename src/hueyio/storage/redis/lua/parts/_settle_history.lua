-- The history of a batch of settlements, for both ways to settle; `told` has the letters of the answers.
-- parts: _history

local function write_history(told)
  if ARGV[13] == '0' and ARGV[15] == '0' then return end
  local time = redis.call('TIME')
  local stamp, keep = string.format('%.6f', time[1] + time[2] / 1000000), tonumber(ARGV[10])
  if ARGV[13] ~= '0' then
    local ids, accepted = ARGV[11], tonumber(ARGV[13])
    if string.find(told, '[su]') then
      -- A tab in the line of what was refused.
      local places, lines = {}, {}
      for place in string.gmatch(ARGV[14], '%d+') do places[#places + 1] = tonumber(place) + 1 end
      for line in string.gmatch(ids, '\n([^\n]*)') do
        local place = places[#lines + 1] or 0  -- 0 behind the last line end
        local is_refused = string.find(string.sub(told, place, place), '[su]')
        if is_refused then accepted = accepted - 1 end
        lines[#lines + 1] = is_refused and '\t' or line
      end
      ids = '\n' .. table.concat(lines, '\n')
    end
    if accepted > 0 then
      redis.call('RPUSH', HISTORY, stamp .. ' ' .. ARGV[13] .. ' ' .. #ids .. ':' .. ids .. ARGV[12])
      redis.call('HINCRBY', HISTORY_STATE, 'count', ARGV[13])
      drop_entries(keep, nil, 20)
    end
  end
  for i = #ARGV + 1 - 2 * ARGV[15], #ARGV, 2 do
    local place = ARGV[i] + 1
    local letter = string.sub(told, place, place)
    if letter == 'a' or letter == 'f' then
      local id = ARGV[18 + place]
      change_attempts(id, nil, stamp .. ' ' .. #ARGV[i + 1] .. ':' .. ARGV[i + 1])
      redis.call('RPUSH', ATTEMPTS_ORDER, stamp .. ' ' .. id)
    end
  end
  if ARGV[15] ~= '0' then drop_attempts(keep, nil, ARGV[15] + 10) end
end
