-- The claim that travels with a settlement: ARGV[16] to ARGV[18] are the room in each lane, 0 where none is claimed.
-- Answers as `claim` does; 0: nothing was tried, for there is no room, or the claim is not plain.
-- parts: _claim_plain

local function claim_behind()
  if ARGV[16] == '0' and ARGV[17] == '0' and ARGV[18] == '0' then return 0 end
  local claimed = claim_plain(ARGV[1], ARGV[16], ARGV[17], ARGV[18])
  if claimed == nil then return 0 end
  return claimed
end
