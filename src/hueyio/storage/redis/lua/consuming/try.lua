-- Try the commands that owners need, unless another kind of queue has taken the name meanwhile. ARGV: commands.
-- keys: *
-- parts: _kind _trial

if is_other_kind() or redis.call('EXISTS', OWN_KIND) == 0 then return false end
return refusal(ARGV, 1) or false
