-- List the tokens that hold a permit. ARGV: key.
-- parts: _permits

local tokens = {}
for token in pairs((permits_of(ARGV[1]))) do tokens[#tokens + 1] = token end
return tokens
