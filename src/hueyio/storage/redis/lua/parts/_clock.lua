-- The server's clock in epoch seconds, asked at most once in a script.

local clock

local function now()
  if not clock then
    local time = redis.call('TIME')
    clock = time[1] + time[2] / 1000000
  end
  return clock
end
