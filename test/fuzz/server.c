/*
 * server.c
 *	  As much of a server as functions need that read stored bytes: memory that
 *	  is freed together, errors that end in a jump.
 */
#include "server.h"

#include "common/hashfn.h"
#include "fuzz.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "source/keys/sort_interruptible.h"
#include "utils/memutils.h"

jmp_buf		server_catch;
int			server_sqlstate;
MemoryContext CurrentMemoryContext = NULL;
volatile sig_atomic_t InterruptPending = false;

/* What is not freed yet; large ones too, so that a huge one shows. */
typedef struct Block
{
	struct Block *next;
	struct Block **link;
} Block;

/* The caller's bytes are aligned as malloc's are. */
#define HEADER (MAXALIGN(sizeof(Block)) + 16 - MAXALIGN(sizeof(Block)) % 16)

static Block *blocks;

static void *
allocate(Size size)
{
	Block	   *block = malloc(HEADER + size);

	FUZZ_ASSERT(block);
	block->next = blocks;
	block->link = &blocks;
	if (blocks)
		blocks->link = &block->next;
	blocks = block;
	return (char *) block + HEADER;
}

void
pfree(void *pointer)
{
	Block	   *block = (Block *) ((char *) pointer - HEADER);

	*block->link = block->next;
	if (block->next)
		block->next->link = block->link;
	free(block);
}

void
server_forget(void)
{
	while (blocks)
		pfree((char *) blocks + HEADER);
}

void *
palloc(Size size)
{
	FUZZ_ASSERT(AllocSizeIsValid(size));
	return allocate(size);
}

void *
palloc0(Size size)
{
	return memset(palloc(size), 0, size);
}

void *
MemoryContextAllocHuge(MemoryContext context, Size size)
{
	return allocate(size);
}

void *
MemoryContextAllocExtended(MemoryContext context, Size size, int flags)
{
	void	   *block = allocate(size);

	return flags & MCXT_ALLOC_ZERO ? memset(block, 0, size) : block;
}

char *
pnstrdup(const char *in, Size length)
{
	Size		n = strnlen(in, length);
	char	   *out = palloc(n + 1);

	memcpy(out, in, n);
	out[n] = '\0';
	return out;
}

bool
errstart(int level, const char *domain)
{
	FUZZ_ASSERT(level == ERROR);
	return true;
}

bool
errstart_cold(int level, const char *domain)
{
	return errstart(level, domain);
}

void
errfinish(const char *filename, int lineno, const char *funcname)
{
	longjmp(server_catch, 1);
}

int
errcode(int sqlerrcode)
{
	server_sqlstate = sqlerrcode;
	return 0;
}

int
errmsg(const char *fmt,...)
{
	return 0;
}

int
errdetail(const char *fmt,...)
{
	return 0;
}

int
errhint(const char *fmt,...)
{
	return 0;
}

void
ProcessInterrupts(void)
{
}

/* The server's encoding is UTF-8. */
char *
pg_any_to_server(const char *s, int len, int encoding)
{
	return (char *) s;
}

bool
pg_verify_mbstr(int encoding, const char *mbstr, int len, bool noError)
{
	return pg_encoding_verifymbstr(encoding, mbstr, len) == len;
}

/* For vocabularies of a few keys, which the targets build to start from. */
void
sort_words(uint64 *keys, uint32 *payloads, uint64 n)
{
	for (uint64 i = 1; i < n; i++)
		for (uint64 j = i; j > 0 && keys[j] < keys[j - 1]; j--)
		{
			uint64		key = keys[j];
			uint32		payload = payloads ? payloads[j] : 0;

			keys[j] = keys[j - 1];
			keys[j - 1] = key;
			if (!payloads)
				continue;
			payloads[j] = payloads[j - 1];
			payloads[j - 1] = payload;
		}
}
