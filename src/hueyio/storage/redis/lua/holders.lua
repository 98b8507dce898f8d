-- List the tokens that hold a place. ARGV: key.
-- parts: _places

local tokens = {}
for token in pairs((places_of(ARGV[1]))) do tokens[#tokens + 1] = token end
return tokens
