// SPDX-License-Identifier: MIT OR Apache-2.0
// soak program: u vp | sc SECS | alg TYPE NAME KEYLEN IVLEN | xattr FILE N | files DIR N | ovpn ... | rtpe ... | rtsp-server/rtsp-client
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <fcntl.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <sched.h>
#include <signal.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <sys/time.h>
#include <sys/syscall.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <arpa/inet.h>
#include <net/if.h>
#include <linux/if_alg.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/genetlink.h>
#ifndef AF_ALG
#define AF_ALG 38
#endif
static void say(const char*w,long r){printf("%s %ld%s%s\n",w,r,r<0?" ":"",r<0?strerror(errno):"");}

/* ---- vpoll ---- */
#define VADD _IO('^',1)
#define VDEL _IO('^',2)
#define VSET _IO('^',3)
static int vfd;
static void*vp_wait(void*a){long n=0;struct pollfd p={.fd=vfd,.events=POLLIN|POLLOUT|POLLPRI|POLLHUP};
  for(int i=0;i<60;i++){if(poll(&p,1,20)>0)n++;}return(void*)n;}
static void*vp_ep(void*a){long n=0;int e=epoll_create1(0);struct epoll_event ev={.events=EPOLLIN|EPOLLOUT|(a?EPOLLET:0)};
  if(epoll_ctl(e,EPOLL_CTL_ADD,vfd,&ev)<0)perror("epoll_ctl");
  for(int i=0;i<60;i++){struct epoll_event o[4];if(epoll_wait(e,o,4,20)>0)n++;if(i==30)epoll_ctl(e,EPOLL_CTL_MOD,vfd,&ev);}
  if(!a)epoll_ctl(e,EPOLL_CTL_DEL,vfd,&ev);close(e);return(void*)n;}
static void*vp_sel(void*a){long n=0;for(int i=0;i<60;i++){fd_set r;FD_ZERO(&r);FD_SET(vfd,&r);struct timeval t={0,20000};if(select(vfd+1,&r,0,0,&t)>0)n++;}return(void*)n;}
static int vp(void){
  for(int round=0;round<4;round++){
    vfd=open("/dev/vpoll",O_RDWR|(round&1?O_NONBLOCK:0)); if(vfd<0){perror("open");return 1;}
    pthread_t t[4];pthread_create(t,0,vp_wait,0);pthread_create(t+1,0,vp_ep,0);pthread_create(t+2,0,vp_ep,(void*)1);pthread_create(t+3,0,vp_sel,0);
    for(int i=0;i<150;i++){
      ioctl(vfd,VADD,(long)POLLIN);if(i%3==0)usleep(500);ioctl(vfd,VSET,(long)(POLLIN|POLLOUT));
      ioctl(vfd,VDEL,(long)POLLIN);if(i%5==0)usleep(1500);ioctl(vfd,VSET,0l);
      if(i%10==0){int f=open("/dev/vpoll",O_RDWR);ioctl(f,VSET,-1l);struct pollfd p={.fd=f,.events=POLLIN};poll(&p,1,0);close(f);}
    }
    if(round==0){say("bad",ioctl(vfd,_IO('^',9),0l));say("bad",ioctl(vfd,_IO('x',1),0l));char b[4];say("read",read(vfd,b,4));say("write",write(vfd,"x",1));
      say("mmap",(long)mmap(0,4096,PROT_READ,MAP_SHARED,vfd,0));say("all",ioctl(vfd,VSET,-1l));ioctl(vfd,VSET,0l);}
    pid_t c=fork(); if(!c){int d=dup(vfd);usleep(20000);ioctl(d,VADD,(long)POLLHUP);close(d);_exit(0);}
    int sum=0; for(int i=0;i<4;i++){void*r;pthread_join(t[i],&r);sum+=(int)(long)r;} waitpid(c,0,0);
    printf("round %d woken %s\n",round,sum>3?"often":"too seldom");
    /* closed while an epoll instance still knows it; then many at once */
    int e=epoll_create1(0);struct epoll_event ev={.events=EPOLLIN};epoll_ctl(e,EPOLL_CTL_ADD,vfd,&ev);ioctl(vfd,VSET,(long)POLLIN);close(vfd);
    struct epoll_event o[8];printf("after close %d\n",epoll_wait(e,o,8,10));
    int f[64];for(int i=0;i<64;i++){f[i]=open("/dev/vpoll",O_RDWR);ev.data.fd=i;epoll_ctl(e,EPOLL_CTL_ADD,f[i],&ev);ioctl(f[i],VADD,(long)(i&1?POLLIN:POLLOUT));}
    printf("ready %d\n",epoll_wait(e,o,8,10));for(int i=0;i<64;i++)close(f[i]);close(e);
  }
  return 0;
}
/* ---- scap ---- */
struct rb{volatile uint32_t head,tail;volatile uint64_t n_evts,n_drops_buffer,n_drops_buffer_clone_fork_enter;};
#define RB (8*1024*1024)
static volatile int stop_work;
static void work(int k){ /* system calls of many kinds */
  for(int i=0;!stop_work&&i<100000;i++){
    char n[64];snprintf(n,64,"/tmp/s%d-%d",k,i&7);int f=open(n,O_RDWR|O_CREAT,0600);
    if(f>=0){write(f,"hello world",11);char b[64];pread(f,b,64,0);struct iovec v[2]={{b,8},{b+8,8}};writev(f,v,2);lseek(f,0,0);readv(f,v,2);
      struct stat s;fstat(f,&s);fchmod(f,0644);ftruncate(f,4);fcntl(f,F_GETFD);int d=dup(f);close(d);close(f);}
    rename(n,"/tmp/ren");unlink("/tmp/ren");access("/nowhere",R_OK);open("/no/where",O_RDONLY);
    int p[2];if(!pipe(p)){write(p[1],"x",1);char b;read(p[0],&b,1);close(p[0]);close(p[1]);}
    int sv[2];if(!socketpair(AF_UNIX,SOCK_STREAM,0,sv)){send(sv[0],"abc",3,0);char b[4];recv(sv[1],b,4,0);struct pollfd q={sv[0],POLLOUT,0};poll(&q,1,0);close(sv[0]);close(sv[1]);}
    int s=socket(AF_INET,SOCK_DGRAM,0);struct sockaddr_in a={.sin_family=AF_INET,.sin_port=htons(8125),.sin_addr={htonl(INADDR_LOOPBACK)}};
    bind(s,(void*)&a,sizeof a);sendto(s,"statsd",6,0,(void*)&a,sizeof a);char b[16];recv(s,b,16,MSG_DONTWAIT);close(s);
    void*m=mmap(0,8192,PROT_READ|PROT_WRITE,MAP_PRIVATE|MAP_ANONYMOUS,-1,0);*(char*)m=1;mprotect(m,4096,PROT_READ);munmap(m,8192);brk(0);
    mkdir("/tmp/dd",0700);rmdir("/tmp/dd");getcwd(n,64);getuid();kill(getpid(),0);
    if(i%16==0){pid_t c=fork();if(!c){if(i%32)_exit(3);execl("/case/u","u","nop","an","argument",NULL);_exit(1);}waitpid(c,0,0);}
    if(i%20==0){pid_t c=fork();if(!c){pause();_exit(0);}kill(c,SIGTERM);waitpid(c,0,0);}
  }
}
static int sc(int ms){
  mkdir("/tmp",0777);int fd[2];uint64_t a=0;char buf[64];long hits[8];struct rb*info[2];char*data[2];
  for(int round=0;round<2;round++){
    for(int i=0;i<2;i++){char n[32];snprintf(n,32,"/dev/scap%d",i);fd[i]=open(n,O_RDWR|O_SYNC);if(fd[i]<0){perror(n);return 1;}
      if(!round&&!i){int d=open(n,O_RDWR);say("second open",d<0?-1:0);
        say("mmap of an odd size",(long)mmap(0,12288,PROT_READ,MAP_SHARED,fd[i],0)==-1?-1:0);say("mmap writable ring",(long)mmap(0,2*RB,PROT_READ|PROT_WRITE,MAP_SHARED,fd[i],0)==-1?-1:0);}
      data[i]=mmap(0,2*RB,PROT_READ,MAP_SHARED,fd[i],0);info[i]=mmap(0,4096,PROT_READ|PROT_WRITE,MAP_SHARED,fd[i],0);
      if(data[i]==MAP_FAILED||info[i]==MAP_FAILED){perror("mmap");return 1;}
    }
    int f=fd[0];
    say("version",ioctl(f,_IO('s',21),buf));say("api",ioctl(f,_IO('s',24),&a));say("schema",ioctl(f,_IO('s',25),&a));say("bad ptr",ioctl(f,_IO('s',24),(void*)8));
    say("hits",ioctl(f,_IO('s',20),hits));say("enable",ioctl(fd[0],_IO('s',1),0));say("enable",ioctl(fd[1],_IO('s',1),0));say("enable twice",ioctl(f,_IO('s',1),0));
    pid_t w[3];for(int i=0;i<3;i++)if(!(w[i]=fork())){signal(SIGALRM,SIG_DFL);work(i);_exit(0);}
    int step=0;uint64_t seen[2]={0};struct timeval t0,t;gettimeofday(&t0,0);
    do{
      for(int i=0;i<2;i++){struct rb*r=info[i];uint32_t h=r->head,tl=r->tail;
        while(tl!=h){uint32_t len=*(uint32_t*)(data[i]+tl+16);if(len<26||len>65536*2){printf("odd event len %u\n",len);tl=h;break;}seen[i]++;tl+=len;if(tl>=RB)tl-=RB;}
        __sync_synchronize();r->tail=tl;}
      switch(step++%24){
      case 0:ioctl(f,_IO('s',4),80l);break; case 1:ioctl(f,_IO('s',4),65000l);break; case 2:ioctl(f,_IO('s',4),1000000l);break;
      case 3:ioctl(f,_IO('s',9),0);break; case 4:ioctl(f,_IO('s',8),0);break;
      case 5:ioctl(f,_IO('s',3),1l);break; case 6:ioctl(f,_IO('s',3),128l);break; case 7:ioctl(f,_IO('s',3),77l);break; case 8:ioctl(f,_IO('s',2),0);break;
      case 9:ioctl(f,_IO('s',22),(8000l<<16)|9000l);break; case 10:ioctl(f,_IO('s',23),8125l);break;
      case 11:/* off and on in one step: closed in between, the module unregisters twice and warns */ioctl(f,_IO('s',14),0);ioctl(f,_IO('s',15),0);break; case 13:ioctl(f,_IO('s',17),0);break;
      case 14:ioctl(f,_IO('s',10),(long)getpid());ioctl(f,_IO('s',11),(long)getpid());ioctl(f,_IO('s',10),99999l);break;
      case 15:ioctl(f,_IO('s',12),0);ioctl(f,_IO('s',13),0);break;
      case 16:{uint64_t*p=calloc(1,16+24*500);p[0]=0;*(uint64_t*)p=0;((int64_t*)p)[1]=400;ioctl(f,_IO('s',16),p);((int64_t*)p)[1]=2;ioctl(f,_IO('s',16),p);((int64_t*)p)[1]=-1;free(p);break;}
      case 17:ioctl(f,_IO('s',7),5l);ioctl(f,_IO('s',7),100000l);break; case 18:ioctl(f,_IO('s',6),5l);ioctl(f,_IO('s',6),100000l);break;
      case 19:ioctl(f,_IO('s',0),0);ioctl(f,_IO('s',1),0);break; case 20:ioctl(f,_IO('s',99),0);break; case 21:ioctl(f,_IO('s',20),hits);break;
      case 22:if(round)ioctl(f,_IO('s',19),0);break; case 23:if(round)ioctl(f,_IO('s',5),0);break;}
      usleep(10000);gettimeofday(&t,0);
    }while((t.tv_sec-t0.tv_sec)*1000+(t.tv_usec-t0.tv_usec)/1000<ms);
    for(int i=0;i<3;i++){kill(w[i],SIGKILL);waitpid(w[i],0,0);}
    printf("events %s, drops %s\n",seen[0]+seen[1]>500?"many":"few",info[0]->n_drops_buffer?"some":"none");
    say("disable",ioctl(fd[0],_IO('s',0),0));say("disable twice",ioctl(fd[0],_IO('s',0),0));
    munmap(data[0],2*RB);close(fd[0]);if(!round)usleep(50000);close(fd[1]);munmap(data[1],2*RB);munmap(info[0],4096);munmap(info[1],4096);
  }
  return 0;
}
/* ---- AF_ALG ---- */
static int alg(const char*type,const char*name,int keylen,int ivlen){
  struct sockaddr_alg sa={.salg_family=AF_ALG};strcpy((char*)sa.salg_type,type);strcpy((char*)sa.salg_name,name);
  int s=socket(AF_ALG,SOCK_SEQPACKET,0);if(s<0){perror("socket");return 1;}
  if(bind(s,(void*)&sa,sizeof sa)<0){perror(name);close(s);return 0;}
  unsigned char key[128];for(int i=0;i<128;i++)key[i]=i*7+1;
  if(keylen){if(setsockopt(s,SOL_ALG,ALG_SET_KEY,key,keylen+1)<0)perror("wrong key");if(setsockopt(s,SOL_ALG,ALG_SET_KEY,key,3)<0)perror("short key");
    if(setsockopt(s,SOL_ALG,ALG_SET_KEY,key,keylen)<0)perror("key");}
  static unsigned char in[8192],enc[8192],dec[8192];for(int i=0;i<8192;i++)in[i]=i^(i>>3);
  static const int len[]={16,64,100,1,0,4096,8000,24,8192};
  for(int l=0;l<9;l++){int n=len[l];
    if(!strcmp(type,"hash")){int o=accept(s,0,0);if(o<0){perror("accept");break;}
      int k=n/3;send(o,in,k,MSG_MORE);send(o,in+k,n-k,MSG_MORE);int o2=accept(o,0,0);send(o,"z",1,0);unsigned char d[128];int r=read(o,d,128);
      int r2=o2>=0?read(o2,d+64,64):-1;printf("%s %d: %d %02x%02x clone %d\n",name,n,r,d[0],d[1],r2);if(o2>=0)close(o2);
      send(o,in,n,MSG_MORE);close(o); /* left in the middle */
    }else{int got[2]={0};n&=~15;if(!n)continue;
      for(int dir=0;dir<2;dir++){int o=accept(s,0,0);if(o<0){perror("accept");return 0;}
        char cb[CMSG_SPACE(4)+CMSG_SPACE(4+32)];memset(cb,0,sizeof cb);
        struct iovec v[2]={{dir?enc:in,n/2&~15},{(dir?enc:in)+(n/2&~15),n-(n/2&~15)}};struct msghdr m={.msg_control=cb,.msg_controllen=CMSG_SPACE(4)+(ivlen?CMSG_SPACE(4+ivlen):0),.msg_iov=v,.msg_iovlen=2};
        struct cmsghdr*c=CMSG_FIRSTHDR(&m);c->cmsg_level=SOL_ALG;c->cmsg_type=ALG_SET_OP;c->cmsg_len=CMSG_LEN(4);*(uint32_t*)CMSG_DATA(c)=dir?ALG_OP_DECRYPT:ALG_OP_ENCRYPT;
        if(ivlen){c=CMSG_NXTHDR(&m,c);c->cmsg_level=SOL_ALG;c->cmsg_type=ALG_SET_IV;c->cmsg_len=CMSG_LEN(4+ivlen);struct af_alg_iv*iv=(void*)CMSG_DATA(c);iv->ivlen=ivlen;memset(iv->iv,9,ivlen);}
        if(sendmsg(o,&m,0)<0){perror("sendmsg");close(o);break;}
        int r,k=0;while(k<n&&(r=read(o,(dir?dec:enc)+k,n-k))>0)k+=r;got[dir]=k;close(o);}
      printf("%s %d: %d %d %s %02x%02x\n",name,n,got[0],got[1],got[0]==n&&got[1]==n&&!memcmp(in,dec,n)?"same":"DIFFERENT",enc[0],enc[1]);
    }
  }
  close(s);return 0;
}
/* ---- files ---- */
static int xat(const char*f,int n,int soft){char k[64];static char v[4000];int bad=0;
  for(int i=0;i<n;i++){snprintf(k,64,"osx.attribute-%d",i);memset(v,'a'+i%26,sizeof v);if(setxattr(f,k,v,i%5==4?600:20+i,0)<0)bad++;}
  if(bad)say("setxattr failed",bad);
  if(!soft){say("create twice",setxattr(f,"osx.attribute-0","x",1,XATTR_CREATE));say("replace none",setxattr(f,"osx.none","x",1,XATTR_REPLACE));say("other space",setxattr(f,"foo.bar","x",1,0));}
  char l[8192];say("list",listxattr(f,l,sizeof l));say("list small",listxattr(f,l,3));
  int ok=0;for(int i=0;i<n;i++){snprintf(k,64,"osx.attribute-%d",i);if(getxattr(f,k,v,sizeof v)>0)ok++;}say("got",ok);
  say("get small",getxattr(f,"osx.attribute-0",v,1));say("get none",getxattr(f,"osx.none",v,1));
  for(int i=0;i<n;i+=2){snprintf(k,64,"osx.attribute-%d",i);if(removexattr(f,k)<0&&i<4)perror("remove");}if(!soft)say("remove none",removexattr(f,"osx.none"));say("list",listxattr(f,l,sizeof l));return 0;}
/* ---- netlink ---- */
static char nb[8192];static int nl=-1,fam;
static struct nlmsghdr*N=(void*)nb;
static void nstart(int type,int flags){memset(nb,0,sizeof nb);N->nlmsg_type=type;N->nlmsg_flags=NLM_F_REQUEST|NLM_F_ACK|flags;N->nlmsg_len=NLMSG_HDRLEN;}
static struct nlattr*put(int t,const void*d,int n){struct nlattr*a=(void*)(nb+NLMSG_ALIGN(N->nlmsg_len));a->nla_type=t;a->nla_len=4+n;if(d)memcpy(a+1,d,n);N->nlmsg_len=NLMSG_ALIGN(N->nlmsg_len)+NLMSG_ALIGN(4+n);return a;}
static void put32(int t,uint32_t v){put(t,&v,4);} static void put16(int t,uint16_t v){put(t,&v,2);} static void put8(int t,uint8_t v){put(t,&v,1);}
static struct nlattr*nest(int t){return put(t|NLA_F_NESTED,0,0);} static void end(struct nlattr*a){a->nla_len=nb+N->nlmsg_len-(char*)a;}
static char nr[65536];static int nrl;
static int ndo(int fd,const char*w){ /* 0 or -errno */
  if(send(fd,nb,N->nlmsg_len,0)<0){perror(w);return -errno;}
  int r=0,more=1;nrl=0;
  while(more){char b[32768];int n=recv(fd,b,sizeof b,0);if(n<0){r=-errno;break;}
    for(struct nlmsghdr*h=(void*)b;NLMSG_OK(h,n);h=NLMSG_NEXT(h,n)){
      if(h->nlmsg_type==NLMSG_ERROR){r=((struct nlmsgerr*)NLMSG_DATA(h))->error;more=0;}
      else if(h->nlmsg_type==NLMSG_DONE)more=0;
      else {nrl=h->nlmsg_len;memcpy(nr,h,nrl<65536?nrl:65536);}}}
  if(w)printf("%s: %s\n",w,r?strerror(-r):"ok");return r;}
static void gstart(int cmd,int flags){nstart(fam,flags);struct genlmsghdr*g=NLMSG_DATA(N);g->cmd=cmd;g->version=1;N->nlmsg_len=NLMSG_LENGTH(GENL_HDRLEN);}
static int gopen(const char*name){nl=socket(AF_NETLINK,SOCK_RAW,NETLINK_GENERIC);fam=GENL_ID_CTRL;gstart(CTRL_CMD_GETFAMILY,0);put(CTRL_ATTR_FAMILY_NAME,name,strlen(name)+1);
  if(ndo(nl,name))return -1;int off=NLMSG_LENGTH(GENL_HDRLEN);
  while(off<nrl){struct nlattr*a=(void*)(nr+off);if(a->nla_len<4)break;if(a->nla_type==CTRL_ATTR_FAMILY_ID)fam=*(uint16_t*)(a+1);off+=NLMSG_ALIGN(a->nla_len);}
  return fam==GENL_ID_CTRL?-1:0;}
static int newlink(const char*name,const char*kind,int mode){int s=socket(AF_NETLINK,SOCK_RAW,NETLINK_ROUTE);nstart(RTM_NEWLINK,NLM_F_CREATE|NLM_F_EXCL);
  N->nlmsg_len=NLMSG_LENGTH(sizeof(struct ifinfomsg));put(IFLA_IFNAME,name,strlen(name)+1);struct nlattr*l=nest(IFLA_LINKINFO);put(IFLA_INFO_KIND,kind,strlen(kind)+1);
  struct nlattr*d=nest(IFLA_INFO_DATA);if(mode>=0)put8(1,mode);end(d);end(l);int r=ndo(s,"newlink");close(s);return r;}
/* ---- ovpn-dco ---- */
static int ifx;
static int opeer(int id,int sock,struct sockaddr_in*r,uint32_t v4,const char*w){gstart(1,0);put32(1,ifx);struct nlattr*n=nest(2);put32(1,id);if(r)put(2,r,sizeof *r);if(sock>=0)put32(3,sock);if(v4)put32(4,v4);end(n);return ndo(nl,w);}
static int okey(int id,int slot,int kid,int alg,int flip,int klen,const char*w){unsigned char k[2][64];for(int i=0;i<64;i++){k[0][i]=i+kid;k[1][i]=i*3+kid;}
  gstart(4,0);put32(1,ifx);struct nlattr*n=nest(5);put32(1,id);put8(2,slot);put8(3,kid);put16(4,alg);
  for(int d=0;d<2;d++){struct nlattr*m=nest(5+d);put(1,k[d^flip],klen);put(2,k[d^flip]+40,8);end(m);}end(n);return ndo(nl,w);}
static int ocmd(int cmd,int id,const char*w){gstart(cmd,0);put32(1,ifx);struct nlattr*n=nest(cmd==3?4:cmd==6?6:cmd==7?8:cmd+1);
  if(cmd==3){put32(2,id);}else if(cmd==5){put32(1,id);}else put32(1,id);end(n);return ndo(nl,w);}
static int oset(int id,int a,int b,const char*w){gstart(2,0);put32(1,ifx);struct nlattr*n=nest(3);put32(1,id);put32(2,a);put32(3,b);end(n);return ndo(nl,w);}
static int oswap(int id,const char*w){gstart(5,0);put32(1,ifx);struct nlattr*n=nest(6);put32(1,id);end(n);return ndo(nl,w);}
static int odelk(int id,int slot,const char*w){gstart(6,0);put32(1,ifx);struct nlattr*n=nest(7);put32(1,id);put8(2,slot);end(n);return ndo(nl,w);}
static int oget(int id,const char*w){gstart(7,id<0?NLM_F_DUMP:0);if(id<0)N->nlmsg_flags&=~NLM_F_ACK;put32(1,ifx);if(id>=0){struct nlattr*n=nest(8);put32(1,id);end(n);}int r=ndo(nl,w);printf(" %d bytes\n",nrl);return r;}
/* u ovpn IF MODE LOCAL REMOTE PORT FLIP MS [tcp]: link is made by it or there already; a peer on UDP (or TCP), keys, then waits while others send */
static int ovpn(char**v,int c){
  const char*ifn=v[2];int flip=atoi(v[7]),ms=atoi(v[8]),tcp=c>9&&!strcmp(v[9],"tcp"),mp=atoi(v[3]);
  if(newlink(ifn,"ovpn-dco",mp)&&!(ifx=if_nametoindex(ifn)))return 1;
  newlink(ifn,"ovpn-dco",mp);newlink("bad0","ovpn-dco",9);
  ifx=if_nametoindex(ifn);char cmd[200];snprintf(cmd,200,"ip addr add 10.9.0.%d/24 dev %s; ip link set %s up mtu 1400",1+flip,ifn,ifn);system(cmd);
  if(gopen("ovpn-dco-v2"))return 1;
  struct sockaddr_in l={.sin_family=AF_INET,.sin_port=htons(atoi(v[6]))},r=l;inet_pton(AF_INET,v[4],&l.sin_addr);inet_pton(AF_INET,v[5],&r.sin_addr);
  int s;uint32_t vip=htonl(0x0a090000+2-flip);
  if(tcp){s=socket(AF_INET,SOCK_STREAM,0);int one=1;setsockopt(s,SOL_SOCKET,SO_REUSEADDR,&one,4);
    if(flip){for(int i=0;i<30&&connect(s,(void*)&r,sizeof r)<0;i++)usleep(100000);}
    else{bind(s,(void*)&l,sizeof l);listen(s,1);int a=accept(s,0,0);close(s);s=a;}}
  else{s=socket(AF_INET,SOCK_DGRAM,0);if(bind(s,(void*)&l,sizeof l)<0)perror("bind");}
  /* refused */
  if(!flip){int real=ifx;ifx=1;opeer(1,s,&r,vip,"peer on lo");ifx=999;opeer(1,s,&r,vip,"peer on nothing");ifx=real;
    opeer(1,-1,&r,vip,"no socket");opeer(1,0,&r,vip,"not a socket");if(!tcp)opeer(1,s,0,vip,"no remote");
    if(mp)opeer(1,s,&r,0,"no address");oget(5,"get none");oswap(5,"swap none");ocmd(3,5,"del none");okey(5,0,0,1,0,32,"key none");}
  for(int round=0;round<2;round++){
    if(round&&tcp)break;
    if(opeer(1,s,&r,vip,"new peer")&&!tcp)return 1;
    if(!flip&&!tcp)opeer(1,s,&r,vip,"new peer again");
    oset(1,round?0:1,round?0:10,"set");oset(7,1,1,"set none");
    if(!flip){okey(1,0,0,1,flip,7,"short key");okey(1,0,0,5,flip,32,"bad cipher");}
    okey(1,0,0,round?2:1,flip,32,"key 0");okey(1,1,1,round?1:2,flip,32,"key 1");
    oget(1,"get");oget(-1,"dump");
    int steps=ms/100/(tcp?1:2);
    for(int i=0;i<steps;i++){usleep(100000);if(i==steps/3)oswap(1,"swap");if(i%4==1)oget(1,"get");if(i==steps/2){okey(1,1,2,1,flip,16,"key 2");}
      if(i==steps*2/3)odelk(1,1,"del key");}
    if(!flip&&round)odelk(1,0,"del key"),odelk(1,0,"del key again");
    if(round||tcp){if(!(flip&&round))ocmd(3,1,"del peer");}else ocmd(3,1,"del peer");ocmd(3,1,"del peer again");
    oget(-1,"dump");usleep(150000);
  }
  if(mp&&!tcp){for(int i=0;i<20;i++){r.sin_port=htons(5000+i);opeer(100+i,s,&r,htonl(0x0a090064+i),0);okey(100+i,0,i&7,1+(i&1),0,32,0);}oget(-1,"dump many");for(int i=0;i<10;i++)ocmd(3,100+i*2,0);
    for(int i=0;i<4;i++){char b[64]="stray";struct sockaddr_in q=l;b[0]=i<<3|0x48>>3;int t=socket(AF_INET,SOCK_DGRAM,0);b[0]=9<<3;b[3]=i*33;sendto(t,b,i*20+1,0,(void*)&q,sizeof q);close(t);}}
  close(s);
  if(mp||tcp){snprintf(cmd,200,"ip link del %s",ifn);system(cmd);}
  return 0;
}
/* u udp send|echo ADDR PORT N LEN [sport]: plain UDP traffic */
static int udp(char**v,int c){int s=socket(AF_INET,SOCK_DGRAM,0);struct sockaddr_in a={.sin_family=AF_INET,.sin_port=htons(atoi(v[4]))};inet_pton(AF_INET,v[3],&a.sin_addr);
  int n=atoi(v[5]),len=atoi(v[6]);char b[65536];memset(b,'d',sizeof b);int tmo=c>7&&*v[2]=='e'?atoi(v[7]):200;struct timeval t={tmo/1000,tmo%1000*1000};setsockopt(s,SOL_SOCKET,SO_RCVTIMEO,&t,sizeof t);
  if(*v[2]=='e'){if(bind(s,(void*)&a,sizeof a)<0)perror("bind");int k=0;for(int i=0;i<n;i++){struct sockaddr_in f;socklen_t l=sizeof f;int r=recvfrom(s,b,sizeof b,0,(void*)&f,&l);if(r<0)break;k++;sendto(s,b,r,0,(void*)&f,l);}printf("echoed %d\n",k);return 0;}
  if(c>7){struct sockaddr_in l={.sin_family=AF_INET,.sin_port=htons(atoi(v[7]))};bind(s,(void*)&l,sizeof l);}
  int k=0;for(int i=0;i<n;i++){sendto(s,b,len,0,(void*)&a,sizeof a);if(recv(s,b,sizeof b,MSG_DONTWAIT)>0)k++;if(i%8==7)usleep(2000);}
  while(recv(s,b,sizeof b,0)>0)k++;printf("sent %d back %d\n",n,k);return 0;}
/* ---- rtpengine: u rtpe TABLE MS ---- */
struct r_addr{int family;union{uint8_t b[16];uint32_t v4;}u;uint16_t port;};
struct r_srtp{int cipher,hmac;uint8_t key[32];uint32_t key_len;uint8_t salt[14];uint32_t salt_len,skey_len,ssalt_len;uint8_t mki[256];uint64_t last[4];uint32_t tag_len,mki_len;};
struct r_pt{uint8_t num,plen;uint32_t rate;char pat[16];};
struct r_target{struct r_addr local,src;int mismatch;uint32_t ndest,stream;struct r_srtp dec;uint32_t ssrc[4];struct r_pt pt[32];uint32_t npt;
  uint32_t mux:1,dtls:1,stun:1,rtp:1,rtp_only:1,track:1,icept:1,ptf:1,nofwd:1,black:1,stats:1;};
struct r_out{struct r_addr src,dst;struct r_srtp enc;uint32_t ssrc[4];uint8_t tos;uint32_t rtcp_only:1,subst:1;};
struct r_dest{struct r_addr local;uint32_t num;struct r_out o;};
struct r_ss{uint64_t p,b;uint32_t x[6];};
struct r_msg{int cmd;union{struct{size_t size;int last;}noop;struct r_target t;struct r_dest d;struct{uint32_t idx;char id[256];}call;
  struct{uint32_t call,idx,max;char name[256];}str;struct{uint32_t call,str;}pkt;struct{struct r_addr local;uint32_t ssrc[4];struct r_ss s[4];}st;}u;uint8_t data[];};
static int rfd;static char rbuf[sizeof(struct r_msg)+2000];static struct r_msg*R=(void*)rbuf;
static void radr(struct r_addr*a,const char*h,int p){a->family=AF_INET;inet_pton(AF_INET,h,&a->u.v4);a->port=p;}
static void rsrtp(struct r_srtp*s,int kind){s->cipher=1;s->hmac=1;if(!kind)return;int kl=kind==4?24:kind==5||kind==7?32:16,sl=kind>=6?12:14;
  s->cipher=kind;s->hmac=kind>=6?1:2;for(int i=0;i<32;i++)s->key[i]=i+3;for(int i=0;i<14;i++)s->salt[i]=i*5;s->key_len=kl;s->salt_len=sl;s->skey_len=kl;s->ssalt_len=sl;s->tag_len=kind>=6?0:10;}
static void rgo(const char*w,int rd){int r=rd?read(rfd,R,sizeof*R):write(rfd,R,sizeof*R);if(w)printf("%s: %s\n",w,r<0?strerror(errno):"ok");}
static void rnew(int cmd){memset(rbuf,0,sizeof rbuf);R->cmd=cmd;}
static int mk(int port,int kind,int flags,int stream){rnew(2);struct r_target*t=&R->u.t;radr(&t->local,"127.0.0.1",port);rsrtp(&t->dec,flags&1?kind:0);t->ndest=2;t->rtp=1;t->track=1;t->stats=1;t->mux=1;t->dtls=1;t->stun=1;
  t->ssrc[0]=htonl(0x1000+port);t->npt=2;t->pt[0].num=0;t->pt[0].rate=8000;t->pt[1].num=8;t->pt[1].rate=8000;t->pt[1].plen=4;memcpy(t->pt[1].pat,"abcd",4);t->ptf=!!(flags&2);t->icept=stream>=0;t->stream=stream>=0?stream:0;
  if(flags&4){radr(&t->src,"127.0.0.1",4444);t->mismatch=1;}
  rgo("target",0);int bad=0;
  for(int i=0;i<2;i++){rnew(4);struct r_dest*d=&R->u.d;radr(&d->local,"127.0.0.1",port);d->num=i;radr(&d->o.src,"127.0.0.1",port+1);radr(&d->o.dst,"127.0.0.1",7000+i);rsrtp(&d->o.enc,i?0:kind);d->o.tos=i?0:184;d->o.subst=i;d->o.ssrc[0]=htonl(0x77);rgo("destination",0);}
  return bad;}
static void*rread(void*p){char f[100],b[20000];struct timeval a,n;gettimeofday(&a,0);do{static const char*k[]={"status","list","blist","control"};
    for(int i=0;i<3;i++){snprintf(f,100,"/proc/rtpengine/%s/%s",(char*)p,k[i]);int d=open(f,O_RDONLY);if(d<0)continue;while(read(d,b,i==2?20000:3000)>0);close(d);}
    int d=open("/proc/rtpengine/list",O_RDONLY);while(read(d,b,4000)>0);close(d);usleep(20000);gettimeofday(&n,0);}while(!stop_work&&n.tv_sec-a.tv_sec<20);return 0;}
static void*rsend(void*p){long port=(long)p;int s=socket(AF_INET,SOCK_DGRAM,0);struct sockaddr_in a={.sin_family=AF_INET,.sin_port=htons(port)};inet_pton(AF_INET,"127.0.0.1",&a.sin_addr);
  uint8_t b[400];for(int i=0;!stop_work;i++){memset(b,i,sizeof b);b[0]=0x80;b[1]=i%3?0:8;if(i%50==7)b[1]=200;if(i%40==9)b[0]=i%3?0:22;*(uint16_t*)(b+2)=htons(i*(i%31?1:3));*(uint32_t*)(b+4)=htonl(i*160);*(uint32_t*)(b+8)=htonl(0x1000+port+(i%97==0));
    sendto(s,b,i%23==0?5:172+i%100,0,(void*)&a,sizeof a);if(i%4==3)usleep(1000);}close(s);return 0;}
static int rtpe(char**v,int c){
  char f[100];int ms=atoi(v[3]);snprintf(f,100,"/proc/rtpengine/%s/control",v[2]);rfd=open(f,O_RDWR);if(rfd<0){perror(f);return 1;}
  printf("message of %zu bytes\n",sizeof*R);
  rnew(1);R->u.noop.size=sizeof*R;R->u.noop.last=12;rgo("noop",0);R->u.noop.last=3;rgo("noop, other version",0);R->u.noop.size=1;rgo("noop, other size",0);rnew(77);rgo("no such command",0);
  say("short",write(rfd,R,10));say("bad pointer",write(rfd,(void*)16,sizeof*R));
  int rx[2];for(int i=0;i<2;i++){rx[i]=socket(AF_INET,SOCK_DGRAM,0);struct sockaddr_in a={.sin_family=AF_INET,.sin_port=htons(7000+i)};inet_pton(AF_INET,"127.0.0.1",&a.sin_addr);bind(rx[i],(void*)&a,sizeof a);}
  rnew(5);strcpy(R->u.call.id,"call-1");rgo("call",1);unsigned call=R->u.call.idx;rnew(5);strcpy(R->u.call.id,"call-1");rgo("call again",1);rnew(5);rgo("call without name",1);rnew(5);strcpy(R->u.call.id,"w");rgo("call by write",0);
  rnew(7);R->u.str.call=call;R->u.str.max=20;strcpy(R->u.str.name,"stream-1");rgo("stream",1);unsigned st=R->u.str.idx;rnew(7);R->u.str.call=call;strcpy(R->u.str.name,"stream-1");rgo("stream again",1);rnew(7);R->u.str.call=999;strcpy(R->u.str.name,"q");rgo("stream of no call",1);
  for(int i=0;i<40;i++){rnew(9);R->u.pkt.call=call;R->u.pkt.str=st;memset(R->data,i,500);if(write(rfd,R,sizeof*R+20+i*10)<0&&!i)perror("packet");}
  rnew(9);R->u.pkt.call=call;R->u.pkt.str=4711;say("packet of no stream",write(rfd,R,sizeof*R+20));
  snprintf(f,100,"/proc/rtpengine/%s/calls/call-1/stream-1",v[2]);int sf=open(f,O_RDONLY|O_NONBLOCK);say("open stream",sf<0?-1:0);
  for(int i=0;i<5;i++){char b[2000];say("read stream",read(sf,b,i==1?4:2000));}
  rnew(2);rgo("target without address",0);rnew(2);radr(&R->u.t.local,"127.0.0.1",1);R->u.t.ndest=99;rgo("too many destinations",0);rnew(4);radr(&R->u.d.local,"127.0.0.1",1);rgo("bad destination",0);
  static const int kinds[]={0,2,3,4,5,6,7};
  for(int i=0;i<7;i++)mk(6000+i*10,kinds[i],i==2?2:i==3?4:i==5?1:0,i<2?(int)st:-1);
  mk(6000,0,0,-1);mk(6000,2,0,-1);    /* replaced */
  rnew(2);radr(&R->u.t.local,"127.0.0.1",6100);rsrtp(&R->u.t.dec,0);R->u.t.black=1;R->u.t.nofwd=1;rgo("blackhole",0);
  pthread_t t[9];for(int i=0;i<7;i++)pthread_create(t+i,0,rsend,(void*)(long)(6000+i*10));pthread_create(t+7,0,rsend,(void*)6100l);pthread_create(t+8,0,rread,v[2]);
  int got[2]={0};for(int i=0;i<ms/20;i++){usleep(20000);char b[2000];for(int k=0;k<2;k++)while(recv(rx[k],b,2000,MSG_DONTWAIT)>0)got[k]++;
    while(sf>=0&&read(sf,b,2000)>0);
    if(i%10==5){rnew(10+(i/10&1));radr(&R->u.st.local,"127.0.0.1",6000+i/10%7*10);rgo(i<20?"stats":0,1);}
    if(i%20==11){int n=i/20%7;rnew(3);radr(&R->u.t.local,"127.0.0.1",6000+n*10);/* deleted by its local address, and made again, under traffic */
      memset(&R->u,0,sizeof R->u);radr(&R->u.t.local,"127.0.0.1",6000+n*10);rgo(0,0);mk(6000+n*10,kinds[(n+1)%7],0,-1);}}
  printf("forwarded %s %s\n",got[0]?"some":"none",got[1]?"some":"none");
  stop_work=1;for(int i=0;i<9;i++)pthread_join(t[i],0);
  rnew(10);radr(&R->u.st.local,"127.0.0.1",9);rgo("stats of none",1);rnew(3);radr(&R->u.t.local,"127.0.0.1",9);rgo("delete none",0);
  for(int i=0;i<4;i++){rnew(3);radr(&R->u.t.local,"127.0.0.1",6000+i*10);rgo("delete",0);}
  close(sf);rnew(8);R->u.str.call=call;R->u.str.idx=st;rgo("delete stream",0);rgo("delete stream again",0);rnew(6);R->u.call.idx=call;rgo("delete call",0);rgo("delete call again",0);
  close(rfd);return 0;}
/* ---- rtsp: u rtsp server PORT N | u rtsp client ADDR PORT N UDPPORT ---- */
static int rtsp(char**v,int c){
  char b[4096];int one=1;
  if(v[2][0]=='s'){int n=atoi(v[4]),got=0;int l=socket(AF_INET,SOCK_STREAM,0);setsockopt(l,SOL_SOCKET,SO_REUSEADDR,&one,4);struct sockaddr_in a={.sin_family=AF_INET,.sin_port=htons(atoi(v[3]))};
    if(bind(l,(void*)&a,sizeof a)<0||listen(l,20)<0){perror("listen");return 1;}
    struct timeval tv={3,0};setsockopt(l,SOL_SOCKET,SO_RCVTIMEO,&tv,sizeof tv);int u=socket(AF_INET,SOCK_DGRAM,0);a.sin_port=htons(6970);bind(u,(void*)&a,sizeof a);
    while(n-->0){socklen_t sl=sizeof a;int s=accept(l,(void*)&a,&sl);if(s<0)break;
      if(fork()==0){struct timeval t={2,0};setsockopt(s,SOL_SOCKET,SO_RCVTIMEO,&t,sizeof t);
        for(int r;(r=recv(s,b,4000,0))>0;){b[r]=0;char*p=strstr(b,"client_port=");int q=p?atoi(p+12):0;char e=0;if(p)printf("server: %.*s\n",(int)strcspn(p,"\r\n"),p);
          r=snprintf(b,sizeof b,"RTSP/1.0 200 OK\r\nCSeq: 1\r\nSession: 1\r\nTransport: RTP/AVP;unicast;client_port=%d-%d;server_port=6970-6971\r\n\r\n",q,q+1);send(s,b,r,0);
          if(q)for(int i=0;i<4;i++){struct sockaddr_in d=a;d.sin_port=htons(q+(i&1));sendto(u,"rtpdata",7,0,(void*)&d,sizeof d);}}
        close(s);_exit(0);}
      close(s);}
    while(wait(0)>0);return 0;}
  int n=atoi(v[5]),base=atoi(v[6]),media=0,answers=0;
  static const char*setup[]={
   "SETUP rtsp://h/a RTSP/1.0\r\nCSeq: 2\r\nTransport: RTP/AVP;unicast;client_port=%d-%d\r\n\r\n",
   "SETUP rtsp://h/a RTSP/1.0\r\nCSeq: 2\r\nTransport: RTP/AVP;unicast;destination=10.1.0.2;client_port=%d-%d\r\nUser-Agent: x\r\n\r\n",
   "OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\nSETUP rtsp://h/a RTSP/1.0\r\nTransport: RTP/AVP/TCP;interleaved=0-1,RTP/AVP;unicast;client_port=%d-%d;mode=play\r\nCSeq: 3\r\n\r\n",
   "SETUP rtsp://h/a RTSP/1.0\r\nCSeq: 2\r\nTransport: RTP/AVP;unicast;client_port=%d\r\n\r\n",
   "SETUP rtsp://h/a RTSP/1.0\r\nCSeq: 2\r\nTransport: RTP/AVP;unicast;client_port=%d/%d\r\n\r\n",
   "ANNOUNCE rtsp://h/a RTSP/1.0\r\nCSeq: 4\r\nContent-Length: 5\r\n\r\nabcdeSETUP rtsp://h/a RTSP/1.0\r\nCSeq: 2\r\nTransport: RTP/AVP;client_port=%d-%d;x\r\n\r\n",
   "SETUP rtsp://h/a RTSP/1.0\r\nCSeq: 2\r\nTransport: RTP/AVP;interleaved=0-1\r\n\r\n"};
  for(int i=0;i<n;i++){int s=socket(AF_INET,SOCK_STREAM,0);struct timeval t={0,150000};setsockopt(s,SOL_SOCKET,SO_RCVTIMEO,&t,sizeof t);
    struct sockaddr_in a={.sin_family=AF_INET,.sin_port=htons(atoi(v[4]))};inet_pton(AF_INET,v[3],&a.sin_addr);if(connect(s,(void*)&a,sizeof a)<0){perror("connect");close(s);usleep(100000);continue;}
    int port=base+(c>7?i:i%3)*2,u[2];for(int k=0;k<2;k++){u[k]=socket(AF_INET,SOCK_DGRAM,0);setsockopt(u[k],SOL_SOCKET,SO_RCVTIMEO,&t,sizeof t);struct sockaddr_in l={.sin_family=AF_INET,.sin_port=htons(port+k)};bind(u[k],(void*)&l,sizeof l);}
    if(i%4==0){send(s,"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n",31,0);if(recv(s,b,4000,0)>0)answers++;}
    int r=snprintf(b,sizeof b,setup[c>7?i%2:i%7],port,port+1);send(s,b,r,0);if(recv(s,b,4000,0)>0)answers++;
    if(i%7<6)for(int k=0;k<2;k++)if(recv(u[k],b,100,(k||i%7>2)?MSG_DONTWAIT:0)>0)media++;
    if(i%3&&c<8)send(s,"TEARDOWN rtsp://h/a RTSP/1.0\r\nCSeq: 9\r\n\r\n",42,0),recv(s,b,4000,0);
    if(i%5==4&&c<8){for(int k=0;k<3;k++){r=snprintf(b,sizeof b,setup[0],port+20+k*2,port+21+k*2);send(s,b,r,0);recv(s,b,4000,0);}send(s,"garbage without an end",22,0);send(s,"\r\n\r\n\r\n",6,0);}
    close(s);close(u[0]);close(u[1]);}
  printf("answers %d media %s\n",answers,media?"some":"none");return 0;}
int main(int c,char**v){
  setvbuf(stdout,0,_IOLBF,0);signal(SIGPIPE,SIG_IGN);if(c<2)return 2;
  if(!strcmp(v[1],"nop"))return 0;
  if(!strcmp(v[1],"vp"))return vp();
  if(!strcmp(v[1],"sc"))return sc(atoi(v[2]));
  if(!strcmp(v[1],"alg"))return alg(v[2],v[3],atoi(v[4]),c>5?atoi(v[5]):0);
  if(!strcmp(v[1],"xattr"))return xat(v[2],atoi(v[3]),c>4);
  if(!strcmp(v[1],"link"))return newlink(v[2],v[3],c>4?atoi(v[4]):-1)!=0;
  if(!strcmp(v[1],"ovpn"))return ovpn(v,c);
  if(!strcmp(v[1],"udp"))return udp(v,c);
  if(!strcmp(v[1],"rtpe"))return rtpe(v,c);
  if(!strcmp(v[1],"rtsp"))return rtsp(v,c);
  return 2;
}
