-- Read what is remembered of the attempts of ids. ARGV: ids. Answers for each (<when> " " <length> ":" <data>)*.
-- parts: _history _chunks

local found = fetch('HMGET', ATTEMPTS, ARGV)
for i = 1, #found do found[i] = found[i] or '' end
return found
