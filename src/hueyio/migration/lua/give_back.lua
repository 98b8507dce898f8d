-- Put back what is aside under tokens, the last first: whoever takes from the tail gets them in their order.
--
-- KEYS: the queue, the schedule, the hash of what is aside
-- ARGV: tokens

for i = #ARGV, 1, -1 do
    put_back(ARGV[i])
end
