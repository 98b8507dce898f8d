-- Claim what can be claimed plainly, before the functions for all else are made.
-- parts: _claim_plain

local claimed = claim_plain(ARGV[1], ARGV[2], ARGV[3], ARGV[4])
if claimed ~= nil then return claimed end
