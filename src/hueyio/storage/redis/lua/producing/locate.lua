-- Say where ids are: (state, data, whether flagged, letter of how it ended)* in the order asked. ARGV: the fleet, then ids. The data
-- of a large result is 1, see `_large`.
-- parts: _whereabouts _large

local others = strangers()
if others then return others end

local found = {}
for i = FIRST_AFTER, #ARGV do
  for _, value in ipairs(whereabouts_of(ARGV[i], small_value)) do found[#found + 1] = value end
end
return {'ok', found}
