-- Counts one request against one key, or refuses it. Times are microseconds by this server's own clock; what is kept is
-- when as many may come at once as ever.
-- KEYS[1]: whose requests. ARGV[1]: how long until one more may come. ARGV[2]: how many may come at once.
-- Returns how many more may come at once, how long to wait (0: it was counted), and how long until all may.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local interval = tonumber(ARGV[1])
local whole = interval * tonumber(ARGV[2])

local full = tonumber(redis.call('GET', KEYS[1]) or now)
if not full or full < now then
    full = now
elseif full > now + whole then
    -- The clock was set back: nobody waits longer for that than he ever could.
    full = now + whole
end

local after = full + interval
local wait = after - whole - now
if wait > 0 then
    return {0, wait, full - now}
end
-- Not tostring, which would round it.
redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', math.ceil((after - now) / 1000))
return {math.floor((whole - (after - now)) / interval), 0, after - now}
