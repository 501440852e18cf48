-- wrk -t 1 -s wrk.lua URL -- load.lua
-- load.lua returns { seconds, method, path, headers, expected } with `bodies`, or with `chain`: then a request takes a
-- token from the front of the list and its reply adds the next one at the end. Half a second before the end no
-- request takes one any more, so that the tokens of all replies are there for the next round.
local ffi = require("ffi")
ffi.cdef("typedef struct { long seconds, microseconds; } moment; int gettimeofday(moment *, void *);")
local moment = ffi.new("moment")
local function now()
  ffi.C.gettimeofday(moment, nil)
  return tonumber(moment.seconds) + tonumber(moment.microseconds) / 1e6
end

local threads = {}
function setup(thread) table.insert(threads, thread) end

function init(args)
  load = dofile(args[1])
  chain, turn, bad, example = load.chain, 0, 0, ""
  tokens = chain and chain.tokens
  if chain then
    local last = now() + load.seconds - 0.5
    function delay() return now() < last and 0 or 60000 end
  end
end

function request()
  turn = turn + 1
  local body
  if chain then
    -- wrk asks once before it begins, and sends nothing.
    local token = turn == 1 and tokens[1] or table.remove(tokens, 1)
    body = chain.before .. (token or "none") .. chain.after
  elseif #load.bodies > 0 then
    body = load.bodies[turn % #load.bodies + 1]
  end
  return wrk.format(load.method, load.path, load.headers, body)
end

function response(status, headers, body)
  if status < 200 or status > 299 or not body:find(load.expected, 1, true) then
    bad = bad + 1
    if example == "" then example = status .. " " .. body:sub(1, 300):gsub("[%c\"\\]", " ") end
  end
  local token = chain and body:match(chain.pattern)
  if token then table.insert(tokens, token) end
end

function done(summary, latency)
  local thread, errors = threads[1], summary.errors
  local left = thread:get("tokens")
  io.write(string.format('\n@@{"requests":%d,"p50":%.3f,"p99":%.3f,"bad":%d,"example":"%s","tokens":[%s]}\n',
    summary.requests, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    thread:get("bad") + errors.connect + errors.read + errors.write + errors.timeout, thread:get("example"),
    left and #left > 0 and '"' .. table.concat(left, '","') .. '"' or ""))
end
