"""Adjectives with the nouns that they describe (classes of `things.py`, "people", "animals", "places", "rooms", single nouns).

stem[:irregular] | English | nouns. WEATHER: what the sky does: subject | stem | English of the whole, with "it".
FEELINGS: stem | English: how a person is. PAINS: body part | English.
"""

ADJECTIVES = """
크다 | big | goods furniture building fruit animals places rooms 차/car 배/ship 다리/bridge 버스 나무
작다 | small | goods furniture building fruit animals places rooms 차/car 배/ship 컵 냄비
비싸다 | expensive | goods clothes footwear gadget furniture fruit headwear handwear 차/car 자전거
싸다 | cheap | goods clothes footwear gadget fruit vegetable furniture 자전거 오토바이 커피 맥주
좋다 | good | book show goods gadget clothes places 음악 노래 차/car
예쁘다 | pretty | clothes goods plant headwear handwear 꽃 그림 강아지 고양이 접시 집
맛있다 | delicious | dish sweet fruit drink 고구마 감자 토마토 배/pear 밤/chestnut 차/tea
재미있다 | interesting | book show subject 이야기 노래 퍼즐 퀴즈 수업 기사
어렵다:ㅂ | difficult | exercise subject language 시험 숙제 책 시 퍼즐 수업
쉽다:ㅂ | easy | exercise subject language 시험 숙제 책 노래 수업
새롭다:ㅂ | new | gadget goods 영화 노래 책 규칙 
깨끗하다 | clean | rooms places clothes kitchenware 수건 방 침대 물 신발 담요
더럽다:ㅂ | dirty | clothes footwear kitchenware 수건 방 창문 손/hand 담요 부엌
무겁다:ㅂ | heavy | furniture 가방 상자 짐 책 노트북 사전 텐트 카메라 냉장고 코트
가볍다:ㅂ | light | 가방 노트북 우산 상자 카메라 자전거 텐트 의자 신발 담요 코트 휴대폰
길다 | long | 치마 연극 영화 편지 소설 다리/bridge 강/river 밤/night 수업 회의 기사 이야기 바지 코트
짧다 | short | 치마 영화 편지 소설 기사 이야기 여행 바지 연필 시 회의 시
높다 | high | building 산/mountain 의자 식탁 나무
넓다 | spacious | 방 집 rooms 공원 도서관 식당 체육관 수영장 백화점
좁다 | narrow | 방 길/road 부엌 다리/bridge 침대 사무실
조용하다 | quiet | places rooms 음악 길/road 방 지하철
시끄럽다:ㅂ | noisy | places rooms 음악 길/road 세탁기 선풍기 지하철 냉장고
맵다:ㅂ | spicy | 김치 라면 떡볶이 국 치킨 국수 김밥 만두
달다 | sweet | fruit 초콜릿 케이크 쿠키 코코아 주스 배/pear 고구마 사탕
짜다 | salty | 국 라면 김치 치즈 피자 생선 국수 만두
뜨겁다:ㅂ | hot | 물 커피 국 우유 라면 코코아 차/tea 냄비 녹차
차갑다:ㅂ | cold | 물 우유 주스 맥주 콜라 손/hand 발/foot 강/river 수박
시다 | sour | 레몬 귤 오렌지 주스 딸기 김치 포도
편하다 | comfortable | furniture footwear clothes 
편리하다 | convenient | gadget public 자전거 편의점 지도
빠르다:르 | fast | public ridden 차/car 컴퓨터 말/horse 노트북
느리다 | slow | public ridden 컴퓨터 노트북 프린터 트럭 휴대폰
튼튼하다 | sturdy | furniture 가방 신발 자전거 우산 다리/bridge 텐트 집 배/ship
유명하다 | famous | book show places 가수 배우 작가 화가 그림 노래 과학자 요리사
중요하다 | important | task 규칙 약속 문서 파일 편지 비밀번호 이메일 문제
특별하다 | special | 선물 반지 여행 케이크 노래 사진 책 파티
이상하다 | strange | 이야기 그림 노래 남자 편지 이름 규칙 영화
귀엽다:ㅂ | cute | animals 인형 아기 아이 모자 양말 장난감
무섭다:ㅂ | scary | 영화 이야기 호랑이 사자 곰 늑대 소설 드라마
위험하다 | dangerous | 오토바이 칼 길/road 다리/bridge 강/river 곰 사자
따뜻하다 | warm | 코트 스웨터 방 담요 장갑 물 우유 양말 거실 국
얇다 | thin | 책 종이 담요 셔츠 노트북 옷 코트
두껍다:ㅂ | thick | 책 사전 코트 양말 담요 종이 스웨터
빨갛다:ㅎ | red | clothes 사과 꽃 장미 모자 가방 우산 신발 장갑 차/car 버스
하얗다:ㅎ | white | clothes 꽃 모자 신발 종이 고양이 토끼 접시 장미 집 말/horse 눈/snow
까맣다:ㅎ | black | clothes 모자 가방 우산 고양이 개 차/car 지갑 말/horse 신발
노랗다:ㅎ | yellow | 꽃 셔츠 가방 우산 장미 버스 택시 치마 재킷
파랗다:ㅎ | blue | 셔츠 바지 가방 우산 모자 새 재킷 치마 접시
친절하다 | kind | everybody
똑똑하다 | smart | people 개 원숭이
용감하다 | brave | people
정직하다 | honest | people
부지런하다 | diligent | people
젊다 | young | 의사 요리사 남자 여자 가수 작가 화가 선생님 교수님 변호사 사장님 농부
깊다 | deep | 강/river 눈/snow 수영장 바다 밤/night
어둡다:ㅂ | dark | 방 길/road 밤/night 부엌 거실 극장
"""

FEELINGS = """
피곤하다 | tired
바쁘다 | busy
행복하다 | happy
아프다 | sick
건강하다 | healthy
배가 고프다 | hungry
배가 부르다:르 | full
심심하다 | bored
외롭다:ㅂ | lonely
목이 마르다:르 | thirsty
"""

PAINS = """
머리 | head | hurts
배/stomach | stomach | hurts
다리/leg | leg | hurts
눈/eye | eyes | hurt
목 | throat | hurts
허리 | back | hurts
이 | tooth | hurts
귀 | ear | hurts
손/hand | hands | hurt
발/foot | feet | hurt
팔 | arm | hurts
무릎 | knee | hurts
어깨 | shoulder | hurts
"""

WEATHER_ADJECTIVES = """
좋다 | nice
춥다:ㅂ | cold
덥다:ㅂ | hot
따뜻하다 | warm
시원하다 | cool
맑다 | clear
흐리다 | cloudy
나쁘다 | bad
"""

# subject | verb | English with "it"
FALLING = """
비가 오다 | rain
눈이 오다 | snow
"""

DEGREES = """
아주 | very
정말 | really
너무 | too
조금 | a little
"""
