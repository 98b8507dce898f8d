-- Whoever writes a revocation tells the owners. The channel is empty for other areas.
-- keys: REVOCATIONS_WRITTEN

local function note_write(channel)
  if channel == '' then return end
  redis.call('INCR', REVOCATIONS_WRITTEN)
  redis.pcall('PUBLISH', channel, '')
end
