//! What must happen at once, in Lua: from Redis 5 on, scripts replicate by their effects and may ask for the time.

use redis::Script;

/// The scripts, with their digests.
pub(super) struct Scripts {
    pub(super) begin: Script,
    pub(super) write: Script,
    pub(super) invalidate: Script,
    pub(super) discard: Script,
    pub(super) begin_for: Script,
    pub(super) unbegin: Script,
}

/// Takes the next number: never one that was there before, whatever was lost, as long as the clock goes on.
const NEXT: &str = r"
local time = redis.call('TIME')
local before = tonumber(redis.call('HGET', KEYS[1], 'n') or '0')
local number = math.max(before + 1, tonumber(time[1]) * 1000000 + tonumber(time[2]))
local mark = string.format('%.0f', number)
";

/// Makes the mark for everything where there is none, and returns it.
const BEGIN: &str = r"
local all = redis.call('HGET', KEYS[1], 'all')
if not all then
    redis.call('HSET', KEYS[1], 'n', mark, 'all', mark)
    all = mark
end
return all
";

/// `KEYS`: marks, value. `ARGV`: value, milliseconds, number of fields, their names, their marks.
const WRITE: &str = r"
local count = tonumber(ARGV[3])
local now = redis.call('HMGET', KEYS[1], unpack(ARGV, 4, 3 + count))
for i = 1, count do
    if (now[i] or '0') ~= ARGV[3 + count + i] then
        return 0
    end
end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
return 1
";

/// `KEYS`: marks, news. `ARGV`: origin, most marks, most news, tags in one string, or nothing for everything.
///
/// A Redis that is full refuses a script whose first write may take memory, and lets one go on that began with
/// another: an invalidation must get through most of all, and `HDEL` of no field is such a write.
const INVALIDATE: &str = r"
redis.call('HDEL', KEYS[1], '')
local tags = ARGV[4]
local all = tags == '' or redis.call('HLEN', KEYS[1]) + #tags / 16 > tonumber(ARGV[2])
if all then
    redis.call('DEL', KEYS[1])
    redis.call('HSET', KEYS[1], 'n', mark, 'all', mark)
    tags = ''
else
    redis.call('HSET', KEYS[1], 'n', mark)
    redis.call('HSETNX', KEYS[1], 'all', mark)
    for at = 1, #tags, 16 do
        redis.call('HSET', KEYS[1], string.sub(tags, at, at + 15), mark)
    end
end
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[3], '*',
    'n', mark, 'before', string.format('%.0f', before), 'origin', ARGV[1], 'tags', tags)
return 1
";

/// `KEYS`: value. `ARGV`: the one that is to go.
const DISCARD: &str = r"
if redis.call('GET', KEYS[1]) == ARGV[1] then
    redis.call('DEL', KEYS[1])
end
return 1
";

/// The same for a while, `ARGV` in milliseconds; 0 where there is one.
const BEGIN_FOR: &str = r"
if redis.call('HEXISTS', KEYS[1], 'all') == 1 then
    return 0
end
redis.call('HSET', KEYS[1], 'n', mark, 'all', mark)
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return mark
";

/// `KEYS`: marks. `ARGV`: the mark that was made for a while. What others have added to it stays.
const UNBEGIN: &str = r"
local made = redis.call('HMGET', KEYS[1], 'n', 'all')
if redis.call('HLEN', KEYS[1]) == 2 and made[1] == ARGV[1] and made[2] == ARGV[1] then
    return redis.call('DEL', KEYS[1])
end
return redis.call('PERSIST', KEYS[1])
";

impl Scripts {
    pub(super) fn new() -> Self {
        Self {
            begin: Script::new(&[NEXT, BEGIN].concat()),
            write: Script::new(WRITE),
            invalidate: Script::new(&[NEXT, INVALIDATE].concat()),
            discard: Script::new(DISCARD),
            begin_for: Script::new(&[NEXT, BEGIN_FOR].concat()),
            unbegin: Script::new(UNBEGIN),
        }
    }
}
