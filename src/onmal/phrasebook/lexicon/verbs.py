"""Verbs with the nouns that they take, and what each may be said with.

TRANSITIVE: stem[:irregular][=honorific] | English | objects (classes of `things.py`, single nouns, homonyms as
Korean/sense) | marks | the verb that denies it, if there is one (알다: 모르다). Marks:
  state    no progressive, no request, no purpose        generic   a bare object is plural: I like apples
  gift     can be done to the good of somebody (주다)      mishap    nobody means to: lose, break
  fresh    the object is not yet, or never, somebody's   pastime   done for a while and for its own sake
  skill    one knows how to                              telling   says which thing is meant: the bag that I bought
  shared   done with somebody
INTERACTION: stem | English | who may take part ("persons", "animals", "all") | marks: "beast" is done by animals only.
INTRANSITIVE: stem | English | manners and places that fit | "lasting" if it is done for hours.
"""

TRANSITIVE = """
먹다=드시 | eat | dish fruit sweet 계란 치즈 고구마 감자 토마토 당근 오이 배/pear 밤/chestnut | pastime shared
마시다=드시 | drink | drink 차/tea | pastime shared
사다 | buy | goods clothes 소금 설탕 비누 공책 footwear fruit gadget headwear book furniture kitchenware stationery vegetable bathroom handwear basic sweet 표 집 자전거 오토바이 트럭 피아노 기타 바이올린 말/horse | fresh telling
보다 | watch | show | pastime shared
읽다 | read | book text 편지 이메일 보고서 | pastime skill telling
만들다 | make | dish sweet 인형 의자 책상 침대 상자 가방 장난감 치즈 비누 반지 치마 텐트 영화 눈/snowman | fresh pastime skill telling shared
쓰다 | write | writing 소설 시 기사 이야기 책 노래 | pastime skill telling
듣다:ㄷ | listen to | 음악 노래 말/words 뉴스 라디오 이야기 | pastime
공부하다 | study | language subject | pastime shared
배우다 | learn | language subject ballgame racket keyboard bowed 노래 | pastime shared
가르치다 | teach | language subject ballgame racket keyboard bowed | pastime
입다 | wear | clothes
신다 | wear | footwear
쓰다 | wear | headwear
끼다 | wear | handwear
벗다 | take off | clothes footwear headwear handwear
타다 | take | public 배/ship | fresh shared
타다 | ride | ridden 말/horse | pastime skill
운전하다 | drive | 버스 택시 트럭 차/car | skill
고치다 | fix | gadget furniture ridden driven 시계 우산 창문 문 장난감 차/car 배/ship 텔레비전 라디오 피아노 | telling
찾다 | look for | goods 여권 돈 약 짐 안경 신발 장갑 양말 휴대폰 카메라 가위 칼 주소 호텔 표 칫솔
잃어버리다 | lose | 지갑 열쇠 여권 돈 우산 휴대폰 표 시계 가방 안경 장갑 반지 카메라 공 모자 짐 칫솔 | mishap telling
빌리다 | borrow | book 우산 돈 카메라 자전거 노트북 텐트 가위 볼펜 연필 트럭 의자 칼 한복 양복 컴퓨터 소금 설탕 | telling
주문하다 | order | dish drink sweet 꽃 책 기념품 | fresh telling
팔다 | sell | fruit vegetable clothes footwear book furniture goods 표 빵 커피 우표 집 생선 자전거 카메라 컴퓨터 휴대폰 트럭 말/horse
기다리다 | wait for | public 편지 선물 배/ship
열다 | open | opening 가방 상자 선물 편지 옷장 지갑 냉장고 파일
닫다 | close | opening 옷장 상자 냉장고 가방 파일
켜다 | turn on | switch 텔레비전 라디오 gadget
끄다 | turn off | switch 텔레비전 라디오 gadget 음악
청소하다 | clean | 방 집 부엌 거실 교실 사무실 냉장고 창문
씻다 | wash | 손/hand 얼굴/face fruit 발/foot 눈/eye 배/pear vegetable kitchenware
닦다 | wipe | furniture kitchenware 창문 안경 거울 신발 문 카메라
썰다 | slice | vegetable 사과 빵 고기 치즈 두부 떡 레몬 배/pear
깎다 | peel | 사과 감자 복숭아 당근 오이 고구마 배/pear
굽다:ㅂ | grill | 고기 생선 감자 고구마 토마토 두부 치킨 양파 밤/chestnut | telling
끓이다 | boil | 물 국 우유 라면 차/tea
볶다 | stir-fry | 고기 양파 당근 밥 감자 김치 국수
섞다 | mix | 우유 주스 물 소금 설탕 고기 계란 샐러드 밥 커피
따다 | pick | fruit 토마토 오이 장미 꽃 배/pear 밤/chestnut | fresh
받다 | receive | 선물 writing 돈 꽃 표 사진 상자 옷 여권 문서 | fresh telling
보내다 | send | writing 선물 돈 사진 문서 파일 꽃 상자 표 책 | gift telling
주다 | give | goods fruit book 돈 약 물 커피 표 사진 그림 옷 연필 볼펜 초콜릿 우유 쿠키 | gift
보여 주다 | show | picture 여권 표 반지 편지 노트북 시계 방 그림 선물 책 숙제 | gift
빌려주다 | lend | book 우산 돈 카메라 자전거 노트북 텐트 볼펜 연필 가위 | gift
가져오다 | bring | goods kitchenware drink 의자 노트북 여권 약 사진 책 담요 신문 가위 종이 기타 소금 설탕 비누 칫솔 | telling
들다 | carry | 가방 상자 짐 우산 꽃 의자 선물 텐트 책 바이올린
옮기다 | move | furniture 상자 짐 냉장고 세탁기 피아노 컴퓨터 나무
버리다 | throw away | waste clothes 상자 신발 종이 우산 가방 의자 장난감 양말 신문 편지 칫솔
고르다:르 | choose | goods clothes footwear book 영화 음악 노래 케이크 방 반지 모자 그림 | fresh telling
그리다 | draw | 그림 지도 꽃 나무 집 산/mountain 말/horse | pastime skill telling
찍다 | take | 사진 | fresh pastime shared
치다 | play | racket 피아노 기타 드럼 | pastime skill shared
하다 | play | ballgame | pastime skill shared
켜다 | play | bowed | pastime skill
하다 | do | 숙제 chore
끝내다 | finish | 숙제 보고서 회의 설거지 빨래 수업 발표 시험 책 소설
준비하다 | prepare for | 시험 회의 수업 발표 파티 여행 결혼식
준비하다 | prepare | 선물 보고서 dish 짐 커피
취소하다 | cancel | 회의 여행 파티 수업 결혼식 발표 시험 booking 약속
예약하다 | reserve | booking 표 기차 택시
계획하다 | plan | 여행 파티 결혼식 회의 발표 수업
풀다 | solve | exercise | fresh pastime
외우다 | memorize | 이름 주소 전화번호 비밀번호 시 노래 이야기 규칙
좋아하다 | like | dish fruit sweet ballgame racket subject show sound drink clothes 꽃 장미 책 시 소설 만화책 여행 | state generic
싫어하다 | hate | vegetable 생선 치즈 시험 숙제 회의 수학 축구 야구 설거지 빨래 맥주 커피 치킨 드라마 뉴스 | state generic
기억하다 | remember | 이름 주소 전화번호 비밀번호 이야기 약속 비밀 노래 영화 책 규칙 말/words 질문 | state
잊어버리다 | forget | 이름 주소 전화번호 비밀번호 약속 숙제 여권 우산 시험 회의 말/words 질문 | mishap
알다 | know | 이름 주소 전화번호 비밀번호 이야기 비밀 규칙 노래 | state | 모르다:르
이해하다 | understand | 규칙 문제 이야기 수업 시 영화 경제학 철학 수학 한국어 영어 말/words 질문 | state
믿다 | believe | 이야기 뉴스 기사 말/words | state
설명하다 | explain | 규칙 문제 그림 시 이야기 영화 지도 질문
심다 | plant | plant 꽃 감자 토마토 딸기 오이 배추 | fresh pastime skill
키우다 | raise | animals 꽃 토마토 말/horse | pastime skill
던지다 | throw | 공 모자 상자 신발 인형 꽃 눈/snowball
차다 | kick | 공 문 의자 상자
밀다 | push | 문 의자 책상 침대 자전거 상자 차/car
세우다 | park | driven ridden 차/car
건너다 | cross | 길/road 강/river 다리/bridge | fresh
짓다:ㅅ | build | building 다리/bridge 배/ship | fresh
붓다:ㅅ | pour | 물 우유 주스 커피 맥주 차/tea
싣다:ㄷ | load | 짐 상자 의자 책상 침대 냉장고 나무
깨다 | break | 컵 접시 창문 계란 거울 안경 | mishap
떨어뜨리다 | drop | 컵 접시 휴대폰 카메라 계란 공 숟가락 안경 열쇠 칼 | mishap
숨기다 | hide | 돈 편지 선물 사진 열쇠 일기 초콜릿 상자 반지
포장하다 | wrap | 선물 책 상자 꽃 그림 컵 인형 옷 접시
빨다 | wash | clothes 양말 수건 운동화 담요 장갑 모자
접다 | fold | 종이 옷 수건 담요 편지 지도 우산 셔츠 바지
걸다 | hang | 그림 거울 지도 코트 사진 옷 수건 모자 시계
바꾸다 | change | 비밀번호 전화번호 이름 주소 돈 옷 방 규칙 좌석
추천하다 | recommend | 영화 책 소설 노래 드라마 불고기 비빔밥 연극 와인 음악 | fresh telling
번역하다 | translate | 책 소설 편지 기사 시 이메일 문서 보고서 이야기 말/words | pastime
복사하다 | copy | 파일 문서 열쇠 보고서 지도 사진 편지
인쇄하다 | print | 문서 사진 지도 표 보고서 이메일 기사
확인하다 | check | 이메일 주소 이름 파일 여권 표 좌석 문서 시계 전화번호 짐 불
줍다:ㅂ | pick up | waste 공 돈 지갑 종이 열쇠 연필 밤/chestnut
모으다 | collect | 우표 돈 인형 사진 기념품 컵 시계 모자 만화책 그림 | generic pastime
부르다:르 | sing | 노래 | pastime skill
자르다:르 | cut | 종이 케이크 빵 나무 피자 수박 사진 두부
연습하다 | practice | 피아노 기타 바이올린 한국어 영어 노래 발표 테니스 축구 골프 드럼 첼로 | pastime
시작하다 | start | 회의 수업 여행 숙제 시험 발표 파티 설거지
잡다 | catch | 공 물고기/fish 택시 | fresh
치우다 | clear | 쓰레기 장난감 상자 접시 눈/snow
밟다 | step on | 꽃 종이 풀 눈/snow
감다 | close | 눈/eye
뜨다 | open | 눈/eye
가리다 | cover | 눈/eye 얼굴/face 창문 거울 그림
긁다 | scratch | 팔/arm 다리/leg 얼굴/face 손/hand 무릎/knee 발/foot
비비다 | rub | 눈/eye 손/hand 무릎/knee
반복하다 | repeat | 말/words 이름 이야기 질문 전화번호
다치다 | hurt | 다리/leg 눈/eye 손/hand 발/foot 팔/arm 무릎/knee | mishap
씹다 | chew | 고기 빵 떡 당근 사과 사탕
삼키다 | swallow | 약 사탕 고기 떡
"""

INTERACTION = """
만나다 | meet | persons
돕다:ㅂ | help | persons
기다리다 | wait for | persons
초대하다 | invite | persons
사랑하다 | love | persons | state
칭찬하다 | praise | persons
부르다:르 | call | persons
찾다 | look for | all
쫓다 | chase | all
따라가다 | follow | all
믿다 | believe | persons | state
안다 | hug | persons
이기다 | beat | persons
깨우다 | wake up | persons
속이다 | trick | persons
놀리다 | tease | persons
용서하다 | forgive | persons
존경하다 | respect | persons | state
걱정하다 | worry about | persons | state
지키다 | protect | all
구하다 | save | all
잡다 | catch | animals
물다 | bite | animals | beast
핥다 | lick | animals | beast
밀다 | push | all
쳐다보다 | stare at | all
무서워하다 | fear | all | state
그리워하다 | miss | persons | state
미워하다 | hate | persons | state
방문하다 | visit | persons
"""

INTRANSITIVE = """
자다=주무시 | sleep | 일찍 늦게 조용히 혼자 집/home 호텔 거실 | lasting
일하다 | work | 열심히 혼자 늦게 식당 병원 은행 사무실 호텔 서점 우체국 백화점 약국 편의점 공항 미용실 도서관 박물관 | lasting
쉬다 | rest | 혼자 조용히 집/home 공원 호텔 카페 정원 거실 바다 | lasting
공부하다 | study | 열심히 혼자 조용히 도서관 학교 집/home 카페 교실 | lasting
운동하다 | exercise | 열심히 혼자 체육관 공원 집/home 운동장 학교 | lasting
걷다:ㄷ | walk | 천천히 빨리 혼자 조용히 공원 바다 정원 | lasting
달리다 | run | 빨리 천천히 열심히 공원 운동장 | lasting
수영하다 | swim | 빨리 혼자 천천히 바다 수영장 호텔 | lasting
요리하다 | cook | 빨리 혼자 열심히 집/home 부엌 식당 | lasting
웃다 | laugh | 조용히 크게 혼자 교실
울다 | cry | 조용히 크게 혼자 집/home 극장
놀다 | play | 조용히 혼자 공원 집/home 운동장 바다 정원 | lasting
노래하다 | sing | 크게 조용히 혼자 교회 학교 극장
춤추다 | dance | 혼자 열심히 천천히 공원 극장 거실 | lasting
말하다 | speak | 빨리 천천히 조용히 크게
일어나다 | get up | 일찍 늦게 빨리
떠나다 | leave | 일찍 늦게 빨리 조용히 혼자
여행하다 | travel | 혼자 | lasting
산책하다 | take a walk | 혼자 천천히 공원 정원 바다 | lasting
쇼핑하다 | shop | 혼자 백화점 시장 편의점 서점
기다리다 | wait | 조용히 혼자 역 공항 카페 집/home 극장 식당 병원 | lasting
앉다 | sit down | 조용히 천천히 빨리
넘어지다 | fall down | 학교 공원 운동장 부엌 산
도착하다 | arrive | 일찍 늦게 혼자
밤을 새우다 | stay up all night | 혼자 조용히 집/home 도서관 사무실 교실 병원 공항
이야기하다 | talk | 조용히 빨리 천천히 카페 식당 교실 공원
"""

# Korean | English | what moves: to a destination (에, 으로), from (에서) or in (에) a place.
MOTION = """
가다 | go | to | 에
오다 | come | to | 에
돌아가다 | return | to | 으로
도착하다 | arrive | at | 에
출발하다 | depart | from | 에서
"""

MANNERS = """
빨리 | quickly
천천히 | slowly
열심히 | hard
조용히 | quietly
혼자 | alone
일찍 | early
늦게 | late
크게 | loudly
"""

FREQUENCIES = """
자주 | often
보통 | usually
가끔 | sometimes
항상 | always
"""

# Where one does what: verb as Korean/English | places.
VENUES = """
먹다/eat | 식당 집/home 부엌 시장 공원 카페 호텔
마시다/drink | 카페 집/home 식당 공원 사무실 호텔 거실
사다/buy | 시장 백화점
보다/watch | 집/home 거실 극장 호텔
읽다/read | 도서관 카페 집/home 공원 교실 서점 정원 사무실
쓰다/write | 도서관 집/home 카페 사무실 교실 호텔
만들다/make | 집/home 부엌 학교 교실
듣다/listen to | 집/home 거실 카페 정원 공원
공부하다/study | 도서관 학교 집/home 교실 카페
배우다/learn | 학교 체육관 교실 도서관
가르치다/teach | 학교 교실 집/home 체육관
잃어버리다/lose | 역 시장 공원 공항 극장 바다 식당 도서관 호텔
빌리다/borrow | 도서관 학교 사무실 호텔
찾다/look for | 백화점 집/home 공항 시장 학교 사무실
기다리다/wait for | 역 공항 호텔
팔다/sell | 시장 백화점 공원 바다
그리다/draw | 공원 집/home 학교 정원 바다 교실
하다/play | 운동장 공원 학교 체육관
치다/play | 체육관 집/home 학교 공원
하다/do | 집/home 도서관 교실
외우다/memorize | 집/home 도서관 교실 학교
풀다/solve | 학교 집/home 도서관 교실
굽다/grill | 식당 부엌 정원 바다
줍다/pick up | 공원 바다 역 학교
찍다/take | 공원 바다 산 박물관 동물원 정원
타다/ride | 공원 바다 운동장
고르다/choose | 백화점 시장
주문하다/order | 식당 카페 호텔
확인하다/check | 공항 사무실 집/home 호텔
연습하다/practice | 집/home 학교 체육관 공원
"""
