/* For keepalived's checkers on a kernel without IPVS, by LD_PRELOAD: every request to the generic netlink family IPVS
 * is acknowledged and changes nothing. keepalived gives up without IPVS; its checkers are what is measured here. */
struct nl_sock;
struct nl_msg;

typedef int (*callback)(struct nl_msg *msg, void *argument);

enum { FINISH = 1, ACK = 4, KINDS = 16 };

static callback callbacks[KINDS];
static void *arguments[KINDS];

int genl_ctrl_resolve(struct nl_sock *sock, const char *name)
{
	(void)sock;
	(void)name;
	return 77;
}

int nl_socket_modify_cb(struct nl_sock *sock, int type, int kind, callback function, void *argument)
{
	(void)sock;
	(void)kind;
	callbacks[type] = function;
	arguments[type] = argument;
	return 0;
}

int nl_send_auto(struct nl_sock *sock, struct nl_msg *msg)
{
	(void)sock;
	(void)msg;
	return 1;
}

int nl_recvmsgs_default(struct nl_sock *sock)
{
	(void)sock;
	if (callbacks[FINISH])
		callbacks[FINISH](0, arguments[FINISH]);
	if (callbacks[ACK])
		callbacks[ACK](0, arguments[ACK]);
	return 0;
}
