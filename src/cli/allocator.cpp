// How jemalloc (the program's malloc) gives memory back. A commit takes and frees hundreds of megabytes; what the next one
// does not take again within a second returns to the system, by a thread of jemalloc's own.
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "background_thread:true,dirty_decay_ms:1000,muzzy_decay_ms:0,narenas:4";
}
