# Runs the server as its child and stops it when its last user is gone.
#   $1     the private folder of the socket
#   rest   the server and its arguments
#   stdin  a FIFO that every user keeps open for writing: its end is the end of the last user
# A line in the FIFO is a user's greeting; the answer `hello.<line>` proves that this guard had not seen the end when
# that user came.
run=$1
shift
umask 077
exec 3<&0 </dev/null
trap '' INT QUIT
"$@" 3<&- &
server=$!
# A shutting down machine ends everything: pass it on, and stay until the server is gone.
trap 'kill -INT "$server" 2>/dev/null' TERM HUP
(
    trap - TERM HUP
    while read -r greeting; do
        : >"$run/hello.$greeting"
    done
    kill -INT "$server" 2>/dev/null
) <&3 3<&- &
watcher=$!
exec 3<&-
echo $$ >"$run/guard"
status=0
while kill -0 "$server" 2>/dev/null; do
    wait "$server"
    status=$?
done
kill -KILL "$watcher" 2>/dev/null
wait "$watcher" 2>/dev/null
read -r last <"$run/guard" && [ "$last" = "$$" ] && rm -f "$run/guard"
exit "$status"
