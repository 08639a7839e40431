/* Sends frames on a link at a steady rate: flood DEVICE PACKETS_A_SECOND SECONDS < FRAMES. Each frame stands behind its
 * length (16 bits, big endian); they are sent in turn, over and over. Prints how many were sent, and in how long. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { MOST = 65536, BATCH = 64, SECOND = 1000000000 };

static long long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * (long long)SECOND + time.tv_nsec;
}

int main(int count, char **words)
{
	static struct iovec frames[MOST];
	struct mmsghdr batch[BATCH];
	unsigned char length[2];
	int known = 0, bypass = 1;

	if (count != 4)
		return 2;
	while (known < MOST && fread(length, 1, 2, stdin) == 2) {
		frames[known].iov_len = length[0] << 8 | length[1];
		frames[known].iov_base = malloc(frames[known].iov_len);
		if (fread(frames[known].iov_base, 1, frames[known].iov_len, stdin) != frames[known].iov_len)
			return 2;
		known++;
	}
	int link = socket(AF_PACKET, SOCK_RAW, 0);
	struct sockaddr_ll where = {
		.sll_family = AF_PACKET, .sll_ifindex = if_nametoindex(words[1])
	};
	if (!known || bind(link, (struct sockaddr *)&where, sizeof(where))) {
		perror(words[1]);
		return 1;
	}
	setsockopt(link, SOL_PACKET, PACKET_QDISC_BYPASS, &bypass, sizeof(bypass));

	double rate = atof(words[2]);
	long long began = now(), end = began + (long long)(atof(words[3]) * SECOND), time, sent = 0;
	while ((time = now()) < end) {
		long long due = (long long)((double)(time - began) * rate / SECOND) - sent;
		if (due < BATCH) {
			long long wait = (long long)((BATCH - due) / rate * SECOND);
			struct timespec pause = { wait / SECOND, wait % SECOND };
			nanosleep(&pause, NULL);
			continue;
		}
		memset(batch, 0, sizeof(batch));
		for (int place = 0; place < BATCH; place++) {
			batch[place].msg_hdr.msg_iov = &frames[(sent + place) % known];
			batch[place].msg_hdr.msg_iovlen = 1;
		}
		int done = sendmmsg(link, batch, BATCH, 0);
		if (done < 0 && errno != ENOBUFS && errno != EINTR) {
			perror("sendmmsg");
			return 1;
		}
		sent += done > 0 ? done : 0;
	}
	printf("%lld %.3f\n", sent, (now() - began) / (double)SECOND);
	return 0;
}
